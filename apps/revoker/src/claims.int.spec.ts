/** Who is taken next of those that wait in the database. */
import { v7 as uuidv7 } from 'uuid';
import { iso, type DoomedLease } from '#events/revocation.js';
import { transact } from '#store/database.js';
import { Metrics } from '#telemetry/metrics.js';
import { freshSchema, type FreshSchema } from '../../../libs/store/test/fresh-schema.js';
import { busyTargets, hurryTarget, knockAt, standInLine, takeLeases } from './claims.js';
import type { LeaseChange } from './lease-rows.js';
import { measureLeases } from './measures.js';
import { revokerMigrations } from './migrations.js';
import { Turns } from './turns.js';
import { writeRows } from './write-rows.js';

const NOW_MS = Date.now();
const LATER_MS = NOW_MS + 60_000;

let schema: FreshSchema;
beforeEach(async () => {
  schema = await freshSchema('revoker', revokerMigrations);
});
afterEach(() => schema.drop());

function due(taskId: string): DoomedLease {
  const leaseId = uuidv7();
  const hardEnd = iso(NOW_MS + 3_600_000);
  const lent = {
    leaseId,
    provider: 'postgres' as const,
    target: 'shop',
    principal: `k${leaseId}`,
    rights: [],
  };
  return {
    ...{ leaseId, taskId, generation: 1, lineage: [{ taskId, generation: 1 }], issued: true, answered: true },
    plan: { ...lent, createBy: hardEnd, notAfter: hardEnd, hardEnd },
    state: 'due',
    revocation: { cause: 'task_ended', causedBy: null, requestedAtMs: NOW_MS, attempts: 0, sessionsEnded: 0 },
  };
}

const inLine = (turns: Turns, taskId: string, nowMs = NOW_MS): LeaseChange => ({
  lease: due(taskId),
  actAtMs: nowMs,
  takenBy: null,
  turnAtMs: turns.next('shop', 'acme', taskId, nowMs),
});
const triedBefore = (taskId: string, actAtMs: number): LeaseChange => ({
  lease: due(taskId),
  actAtMs,
  takenBy: null,
  turnAtMs: null,
});

const write = (leases: readonly LeaseChange[]) =>
  transact(schema.db, (tx) => writeRows(tx, { tombstones: [], leases, tasks: [] }));
const take = async (cuts: number, nowMs = NOW_MS + 1_000, by = 'me') =>
  (await takeLeases(schema.db, [{ target: 'shop', cuts, cleans: 0 }], by, nowMs)).map(({ taskId }) => taskId);
const many = (count: number, make: () => LeaseChange) => Array.from({ length: count }, make);

it('is a task with one lease before the rest of a task with a thousand that was there first', async () => {
  const turns = new Turns();
  await write(many(1_000, () => inLine(turns, 'long')));
  const single = Array.from({ length: 40 }, (_, n) => `task ${n}`);
  await write(single.map((taskId) => inLine(turns, taskId, NOW_MS + 50)));

  expect(await take(100)).toEqual(expect.arrayContaining(single));
});

it('is who was taken first and let go before it was begun, ahead of those who came later', async () => {
  const turns = new Turns();
  await write([inLine(turns, 'first')]);
  const taken = await takeLeases(schema.db, [{ target: 'shop', cuts: 1, cleans: 0 }], 'me', NOW_MS);
  await write([inLine(turns, 'second')]);

  await standInLine(schema.db, taken, 'me');

  expect(await take(1)).toEqual(['first']);
  expect(await take(1)).toEqual(['second']);
});

it('is not brought back into line by who had it before', async () => {
  await write([inLine(new Turns(), 'first')]);
  const taken = await takeLeases(schema.db, [{ target: 'shop', cuts: 1, cleans: 0 }], 'me', NOW_MS);
  expect(await take(1, LATER_MS, 'another')).toEqual(['first']);

  await standInLine(schema.db, taken, 'me');

  expect(await take(1, LATER_MS)).toEqual([]);
});

it('is everybody once, whoever asks', async () => {
  const turns = new Turns();
  await write(many(10, () => inLine(turns, 'long')));

  const taken = [
    await take(6, NOW_MS + 1_000, 'me'),
    await take(6, NOW_MS + 1_000, 'another'),
    await take(6),
  ];

  expect(taken.map(({ length }) => length)).toEqual([6, 4, 0]);
});

it('is also who was tried before, however many come new', async () => {
  const turns = new Turns();
  await write(many(100, () => inLine(turns, 'new')));
  await write(many(100, () => triedBefore('old', NOW_MS - 1_000)));

  const taken = await take(40);

  expect(taken.filter((taskId) => taskId === 'new')).toHaveLength(40);
  expect(taken.filter((taskId) => taskId === 'old')).toHaveLength(10);
});

it('is one of those that wait for a target that is away, when somebody knocks there', async () => {
  await write([triedBefore('second', LATER_MS + 1), triedBefore('first', LATER_MS)]);
  expect(await take(10)).toEqual([]);

  await knockAt(schema.db, 'shop', NOW_MS);

  expect(await take(10)).toEqual(['first']);
});

it('is everybody who waited for a target that is back, with tasks taking turns', async () => {
  await write(many(200, () => triedBefore('long', LATER_MS)));
  await write([triedBefore('short', LATER_MS + 1_000)]);

  await hurryTarget(schema.db, 'shop', NOW_MS);

  const first = await take(10);
  expect([first.length, first.includes('short')]).toEqual([10, true]);
  expect(await take(400)).toHaveLength(191);
});

it('knows targets by what is due at them, in line or not', async () => {
  expect(await busyTargets(schema.db)).toEqual([]);
  await write([inLine(new Turns(), 'one')]);
  expect(await busyTargets(schema.db)).toEqual(['shop']);
  await take(1);
  expect(await busyTargets(schema.db)).toEqual(['shop']);
});

it('shows how many are due and unproven, in line or not, and for how long', async () => {
  const metrics = new Metrics('revoker');
  measureLeases(metrics, schema.db);
  const shown = async (name: string) =>
    Number(new RegExp(`^mayfly_${name}\\{.*\\} (.*)$`, 'm').exec(await metrics.text())?.[1]);
  expect([await shown('leases_due'), await shown('unproven_exposure_seconds')]).toEqual([0, 0]);
  const { lease, ...failed } = triedBefore('failed', LATER_MS);
  if (lease.state === 'known') throw new Error('it is due');
  const revocation = { ...lease.revocation, attempts: 3, requestedAtMs: Date.now() - 60_000 };
  await write([{ ...failed, lease: { ...lease, revocation } }, inLine(new Turns(), 'new')]);

  expect([await shown('leases_due'), await shown('leases_unproven')]).toEqual([2, 1]);
  expect(await shown('unproven_exposure_seconds')).toBeGreaterThanOrEqual(60);
});
