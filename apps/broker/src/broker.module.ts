import { Module, type DynamicModule } from '@nestjs/common';
import type { TelemetryOptions } from '#telemetry/telemetry-options.js';
import { TelemetryModule } from '#telemetry/telemetry.module.js';
import { Broker } from './broker.js';
import { BusController } from './bus.controller.js';
import { AuthzenController } from './http/authzen/authzen.controller.js';
import { AuthzenServer } from './http/authzen/authzen-server.js';
import type { BrokerHttp } from './http/broker-http.js';
import { ApprovalRequests } from './http/approvals/approval-requests.js';
import { ApprovalsController } from './http/approvals/approvals.controller.js';
import { EventRequests } from './http/event-requests.js';
import { EventsController } from './http/events.controller.js';
import { OAuthServer } from './http/oauth/oauth-server.js';
import { OAuthController } from './http/oauth/oauth.controller.js';
import { TaskRequests } from './http/tasks/task-requests.js';
import { TasksController } from './http/tasks/tasks.controller.js';

@Module({})
export class BrokerModule {
  static forRoot(broker: Broker, http: BrokerHttp, telemetry: TelemetryOptions): DynamicModule {
    return {
      module: BrokerModule,
      imports: [TelemetryModule.forRoot(telemetry)],
      controllers: [
        BusController,
        EventsController,
        ApprovalsController,
        TasksController,
        AuthzenController,
        ...(http.oauth === null ? [] : [OAuthController]),
      ],
      providers: [
        { provide: Broker, useValue: broker },
        { provide: EventRequests, useValue: http.events },
        { provide: ApprovalRequests, useValue: http.approvals },
        { provide: TaskRequests, useValue: http.tasks },
        { provide: AuthzenServer, useValue: http.authzen },
        ...(http.oauth === null ? [] : [{ provide: OAuthServer, useValue: http.oauth }]),
      ],
    };
  }
}
