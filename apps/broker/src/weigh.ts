/** What a record takes of the room of one transaction. Goes by what it claims to be. */
import type { BusRecord } from '#bus/bus.js';
import { HEADERS } from '#events/envelope.js';
import { wireType } from '#events/inbound.js';

/** Policy is asked once for each combination that is declared, up to 512 times and most of a second for each of these. */
const DECLARATION_WEIGHT = 25;
const DECLARATIONS = ['task.started', 'task.amended'].map(wireType);

export const weightOf = (record: BusRecord): number =>
  DECLARATIONS.includes(record.headers[HEADERS.type]?.toString() ?? '') ? DECLARATION_WEIGHT : 1;
