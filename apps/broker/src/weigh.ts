/** What a record takes of the room of one transaction, and whether anybody waits for it. Goes by what it claims to be. */
import type { BusRecord } from '#bus/bus.js';
import { HEADERS } from '#events/envelope.js';
import { wireType } from '#events/inbound.js';

/** Policy is asked once for each combination that is declared, up to 512 times and most of a second for each of these. */
const DECLARATION_WEIGHT = 25;
const DECLARATIONS = ['task.started', 'task.amended'].map(wireType);

const ENDED = wireType('task.ended');

const claimOf = (record: BusRecord) => record.headers[HEADERS.type]?.toString() ?? '';

export const weightOf = (record: BusRecord): number =>
  DECLARATIONS.includes(claimOf(record)) ? DECLARATION_WEIGHT : 1;

/** At an end nobody waits for the broker: the revoker hears it too, and where they share a machine it is to go first. */
export const isAwaited = (record: BusRecord): boolean => claimOf(record) !== ENDED;
