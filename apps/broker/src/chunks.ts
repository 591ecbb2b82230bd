/** How much of a fetch is decided in one transaction. */
import type { BusRecord } from '#bus/bus.js';
import { HEADERS } from '#events/envelope.js';
import { wireType } from '#events/inbound.js';

/** Policy is asked once for each combination that is declared, up to 512 times and most of a second for each of these. */
const DECLARATIONS_AT_ONCE = 4;
const DECLARATION = wireType('task.started');

/** The records in their order, in pieces that take a few seconds at most. Goes by what a record claims to be. */
export function* chunksOf(records: readonly BusRecord[]): Generator<BusRecord[]> {
  let chunk: BusRecord[] = [];
  let declarations = 0;
  for (const record of records) {
    chunk.push(record);
    if (record.headers[HEADERS.type]?.toString() === DECLARATION) declarations += 1;
    if (declarations < DECLARATIONS_AT_ONCE) continue;
    yield chunk;
    chunk = [];
    declarations = 0;
  }
  if (chunk.length > 0) yield chunk;
}
