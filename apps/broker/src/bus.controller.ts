import { Controller, Inject, UseFilters } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { KeepCause } from '#bus/batch-server.js';
import type { BusRecord } from '#bus/bus.js';
import { CREDENTIAL_EVENTS, TASK_EVENTS } from '#events/topics.js';
import { Broker } from './broker.js';

/** One call is one fetch of one partition; resolving acknowledges it. */
@Controller()
@UseFilters(new KeepCause())
export class BusController {
  constructor(@Inject(Broker) private readonly broker: Broker) {}

  @EventPattern(TASK_EVENTS)
  onTaskEvents(@Payload() records: readonly BusRecord[]): Promise<void> {
    return this.broker.onTaskEvents(records);
  }

  @EventPattern(CREDENTIAL_EVENTS)
  onCredentialEvents(@Payload() records: readonly BusRecord[]): Promise<void> {
    return this.broker.onCredentialEvents(records);
  }
}
