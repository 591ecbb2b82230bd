import { Module, type DynamicModule } from '@nestjs/common';
import type { TelemetryOptions } from '#telemetry/telemetry-options.js';
import { TelemetryModule } from '#telemetry/telemetry.module.js';
import { SecurityEventsController } from './caep/security-events.controller.js';
import { SecurityEvents } from './caep/security-events.js';
import { OrderRequests } from './orders/order-requests.js';
import { OrdersController } from './orders/orders.controller.js';
import { CredentialEventsController } from './credential-events.controller.js';
import { Revoker } from './revoker.js';
import { StatusListController } from './status/status-list.controller.js';
import { StatusLists } from './status/status-lists.js';
import { StandingAccessController } from './survey/standing-access.controller.js';
import { StandingAccessDesk } from './survey/standing-access-desk.js';
import { TaskEventsController } from './task-events.controller.js';

export interface RevokerRooms {
  revoker: Revoker;
  lists: StatusLists;
  events: SecurityEvents;
  standing: StandingAccessDesk;
  orders: OrderRequests;
}

@Module({})
export class RevokerModule {
  static forRoot(rooms: RevokerRooms, telemetry: TelemetryOptions): DynamicModule {
    const { revoker, lists, events, standing, orders } = rooms;
    return {
      module: RevokerModule,
      imports: [TelemetryModule.forRoot(telemetry)],
      controllers: [
        TaskEventsController,
        CredentialEventsController,
        StatusListController,
        SecurityEventsController,
        StandingAccessController,
        OrdersController,
      ],
      providers: [
        { provide: Revoker, useValue: revoker },
        { provide: StatusLists, useValue: lists },
        { provide: SecurityEvents, useValue: events },
        { provide: StandingAccessDesk, useValue: standing },
        { provide: OrderRequests, useValue: orders },
      ],
    };
  }
}
