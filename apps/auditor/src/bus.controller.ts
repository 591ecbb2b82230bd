import { Controller, Inject, UseFilters } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { KeepCause } from '#bus/batch-server.js';
import type { BusRecord } from '#bus/bus.js';
import { CREDENTIAL_EVENTS, DELIVERY, REVOCATIONS, TASK_EVENTS } from '#events/topics.js';
import { Ingest } from './ingest.js';

/** One call is one fetch of one partition; resolving acknowledges it. */
@Controller()
@UseFilters(new KeepCause())
export class BusController {
  constructor(@Inject(Ingest) private readonly ingest: Ingest) {}

  @EventPattern(TASK_EVENTS)
  onTaskEvents(@Payload() records: readonly BusRecord[]): Promise<void> {
    return this.ingest.onBatch(records);
  }

  @EventPattern(CREDENTIAL_EVENTS)
  onCredentialEvents(@Payload() records: readonly BusRecord[]): Promise<void> {
    return this.ingest.onBatch(records);
  }

  @EventPattern(DELIVERY)
  onDelivery(@Payload() records: readonly BusRecord[]): Promise<void> {
    return this.ingest.onBatch(records);
  }

  @EventPattern(REVOCATIONS)
  onRevocations(@Payload() records: readonly BusRecord[]): Promise<void> {
    return this.ingest.onBatch(records);
  }
}
