/** What the pump does where no transaction can be had. What it does with one is in the integration specs. */
import type { Admission } from '#identity/admit.js';
import type { Read } from '#store/readings.js';
import type { Database } from '#store/database.js';
import type { BrokerParts } from '../broker-parts.js';
import { EventPump } from './event-pump.js';
import { eventRecord } from './event-record.js';

const READ: Read<Admission> = {
  record: eventRecord([], Buffer.from('{}'), 0),
  said: { ok: false, refusal: { code: 'ERR_PROOF_INVALID', reason: 'of no matter here' } },
};
const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

function pumpOver(connect: () => Promise<never>, room = () => Promise.resolve()) {
  const seen = { connects: 0, unrecorded: 0, logged: 0 };
  const pool = { connect: () => ((seen.connects += 1), connect()) };
  const parts = {
    db: { pool, schema: 'broker' } as unknown as Database,
    log: { error: () => (seen.logged += 1) },
    measures: { refusalUnrecorded: () => (seen.unrecorded += 1) },
  } as unknown as BrokerParts;
  const pump = new EventPump({
    ...{ parts, room },
    after: () => {
      throw new Error('nothing was committed');
    },
  });
  return { pump, seen };
}
const refusal = (code: string) => expect.objectContaining({ name: 'TransportError', code }) as Error;

it('decides nothing before it is opened, and nothing after it is stopped', async () => {
  const { pump, seen } = pumpOver(() => Promise.reject(away));
  await expect(pump.take(READ)).rejects.toEqual(refusal('ERR_NOT_STARTED'));
  pump.open();
  await pump.stop();
  pump.open();

  await expect(pump.take(READ)).rejects.toEqual(refusal('ERR_NOT_STARTED'));
  expect(seen.connects).toBe(0);
});

it('a database that is away is tried three times, and then told: whoever asks waits no longer', async () => {
  const { pump, seen } = pumpOver(() => Promise.reject(away));
  pump.open();
  const answers = await Promise.allSettled([pump.take(READ), pump.take(READ), pump.take(READ)]);

  for (const answer of answers)
    expect(answer).toEqual({ status: 'rejected', reason: refusal('ERR_DATABASE_AWAY') });
  // All of them together.
  expect(seen.connects).toBe(3);
});

it('a failure of ours is each request’s own, and is logged', async () => {
  const bug = new TypeError('a bug');
  const { pump, seen } = pumpOver(() => Promise.reject(bug));
  pump.open();
  await expect(pump.take(READ)).rejects.toBe(bug);

  expect(seen.logged).toBe(1);
});

it('takes so many that wait, and not one more', async () => {
  const { pump } = pumpOver(
    () => Promise.reject(away),
    () => new Promise(() => undefined),
  );
  pump.open();
  const waiting = Array.from({ length: 500 }, () => pump.take(READ).catch(() => 'stopped'));
  await expect(pump.take(READ)).rejects.toEqual(refusal('ERR_BUSY'));
  void pump.stop();

  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['stopped']));
});

it('a flood of refused requests is counted where it can no longer be written down, and holds up nobody', () => {
  const { pump, seen } = pumpOver(
    () => Promise.reject(away),
    () => new Promise(() => undefined),
  );
  pump.open();
  for (let n = 0; n < 1_000; n += 1) pump.note(READ);

  expect(seen.unrecorded).toBe(800);
});
