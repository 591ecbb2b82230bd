import { createLog } from '#telemetry/log.js';
import { stopInOrder } from './stop.js';

const lines: string[] = [];
const log = createLog('test', { write: (line) => void lines.push(line) });
const said = () => lines.map((line) => JSON.parse(line) as unknown);
beforeEach(() => void (lines.length = 0));

/** Notes when it begins and when it has ended. */
const step = (what: string, notes: string[]) => ({
  what,
  run: async () => {
    notes.push(`${what} begun`);
    await Promise.resolve();
    notes.push(`${what} ended`);
  },
});
const forEver = { what: 'leases being made', run: () => new Promise(() => undefined) };
const failing = { what: 'records in the outbox', run: () => Promise.reject(new Error('no bus')) };

it('an end is taken step by step, each after the one before it', async () => {
  const notes: string[] = [];

  const status = await stopInOrder([step('reading', notes), step('sending', notes)], 1_000, log);

  expect(status).toBe(0);
  expect(notes).toEqual(['reading begun', 'reading ended', 'sending begun', 'sending ended']);
  expect(said()).toEqual([]);
});

it('an end that takes too long says what was in flight and what was to come after it', async () => {
  const notes: string[] = [];

  const status = await stopInOrder([step('reading', notes), forEver, step('sending', notes)], 30, log);

  expect(status).toBe(1);
  expect(notes).toEqual(['reading begun', 'reading ended']);
  expect(said()).toEqual([
    expect.objectContaining({
      msg: 'stopped before all that had begun was finished',
      inFlight: 'leases being made',
      after: ['sending'],
    }),
  ]);
});

it('a step that takes the time it has is told, and those behind it are taken', async () => {
  const notes: string[] = [];

  const status = await stopInOrder([{ ...forEver, withinMs: 10 }, step('closing', notes)], 1_000, log);

  expect(status).toBe(1);
  expect(notes).toEqual(['closing begun', 'closing ended']);
  expect(said()).toEqual([
    expect.objectContaining({ msg: 'a step of stopping takes too long', inFlight: 'leases being made' }),
  ]);
});

it('a step that fails is told, and holds up none behind it', async () => {
  const notes: string[] = [];

  const status = await stopInOrder([failing, step('closing', notes)], 1_000, log);

  expect(status).toBe(1);
  expect(notes).toEqual(['closing begun', 'closing ended']);
  expect(said()).toEqual([
    expect.objectContaining({ msg: 'a step of stopping failed', step: 'records in the outbox' }),
  ]);
});
