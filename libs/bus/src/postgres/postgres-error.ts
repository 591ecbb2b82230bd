/** What PostgreSQL answers, as the bus' own errors. */
import { BusError } from '../bus.js';
import { REFUSED } from './migrations.js';

/** SQLSTATE classes that stay the same when the record is sent again: data, integrity, privilege, program limit. */
const REFUSALS = ['22', '23', '42', '54'];

const sqlState = (error: unknown): string => {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : '';
};

/** ERR_RECORD_REFUSED where sending again is of no use, ERR_BUS_UNREACHABLE else. */
export function publishError(error: unknown, topics: readonly string[]): BusError {
  const code = sqlState(error);
  const refused = code === REFUSED || (code.length === 5 && REFUSALS.includes(code.slice(0, 2)));
  return new BusError(
    refused ? 'ERR_RECORD_REFUSED' : 'ERR_BUS_UNREACHABLE',
    refused ? 'the bus refuses a record' : 'the bus has not acknowledged the records',
    { topics: topics.join(','), ...(code === '' ? {} : { type: code }) },
    { cause: error },
  );
}

/** An error of a request that only asks. */
export function unreachable(error: unknown, asked: string): BusError {
  if (error instanceof BusError) return error;
  return new BusError('ERR_BUS_UNREACHABLE', 'the bus does not answer', { asked }, { cause: error });
}
