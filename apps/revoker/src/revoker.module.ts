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
import { TaskEventsController } from './task-events.controller.js';

export interface RevokerRooms {
  revoker: Revoker;
  lists: StatusLists;
  events: SecurityEvents;
  orders: OrderRequests;
}

@Module({})
export class RevokerModule {
  static forRoot(
    { revoker, lists, events, orders }: RevokerRooms,
    telemetry: TelemetryOptions,
  ): DynamicModule {
    return {
      module: RevokerModule,
      imports: [TelemetryModule.forRoot(telemetry)],
      controllers: [
        TaskEventsController,
        CredentialEventsController,
        StatusListController,
        SecurityEventsController,
        OrdersController,
      ],
      providers: [
        { provide: Revoker, useValue: revoker },
        { provide: StatusLists, useValue: lists },
        { provide: SecurityEvents, useValue: events },
        { provide: OrderRequests, useValue: orders },
      ],
    };
  }
}
