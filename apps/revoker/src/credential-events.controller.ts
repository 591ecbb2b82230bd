import { Controller, Inject, UseFilters } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { KeepCause } from '#bus/batch-server.js';
import type { BusRecord } from '#bus/bus.js';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import { Revoker } from './revoker.js';

/** One call is one fetch of one partition; resolving acknowledges it. */
@Controller()
@UseFilters(new KeepCause())
export class CredentialEventsController {
  constructor(@Inject(Revoker) private readonly revoker: Revoker) {}

  @EventPattern(CREDENTIAL_EVENTS)
  onCredentialEvents(@Payload() records: readonly BusRecord[]): Promise<void> {
    return this.revoker.onLeaseEvents(records);
  }
}
