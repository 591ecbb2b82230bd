import { setImmediate as turn } from 'node:timers/promises';
import { Lane, type Held } from './lane.js';

const NOW_MS = Date.now();
const TASK = '0192aaaa-0000-7000-8000-000000000001';
const lease = (leaseId: string, state: 'due' | 'cut', taskId = TASK, tenant = 'acme'): Held => ({
  leaseId,
  taskId,
  tenant,
  turnAtMs: null,
  generation: 1,
  lineage: [],
  plan: {
    leaseId,
    provider: 'postgres',
    target: 'shop',
    principal: 'ksmp1',
    rights: [],
    createBy: '2026-11-24T19:00:10.000Z',
    notAfter: '2026-11-24T19:02:00.000Z',
    hardEnd: '2026-11-24T19:30:00.000Z',
  },
  issued: true,
  answered: true,
  state,
  revocation: { cause: 'task_ended', causedBy: null, requestedAtMs: NOW_MS, attempts: 0, sessionsEnded: 0 },
});

/** A target where nothing is finished before it is released. */
function slowTarget() {
  const begun: string[] = [];
  const releases: (() => void)[] = [];
  const lapsed: string[] = [];
  let drained = 0;
  const lane = new Lane(
    'shop',
    ({ state, leaseId }) => {
      begun.push(`${state} ${leaseId}`);
      return new Promise<void>((done) => releases.push(done));
    },
    () => (drained += 1),
    ({ leaseId }) => void lapsed.push(leaseId),
  );
  return {
    lane,
    begun,
    lapsed,
    drained: () => drained,
    release: async () => {
      releases.splice(0).forEach((done) => done());
      await turn();
    },
  };
}

it('begins at once, and says when there is room for more', async () => {
  const { lane, begun, release, drained } = slowTarget();
  lane.offer(lease('a', 'due'), NOW_MS);
  expect(begun).toEqual(['due a']);
  await release();
  expect(drained()).toBe(1);
});

it('says how many cuts are in hand, and since when the last one begun was to be made', async () => {
  const { lane, release } = slowTarget();
  const dueAt = (leaseId: string, requestedAtMs: number, attempts = 0): Held => {
    const made = lease(leaseId, 'due');
    return { ...made, revocation: { ...made.revocation, requestedAtMs, attempts } };
  };
  lane.offer(lease('clean', 'cut'), NOW_MS);
  expect(lane.cutsInHand().cuts).toBe(0);
  lane.offer(dueAt('a', NOW_MS - 40), NOW_MS);
  lane.offer(dueAt('tried', NOW_MS - 90_000, 3), NOW_MS);
  expect(lane.cutsInHand()).toEqual({ cuts: 2, dueSinceMs: NOW_MS - 40 });
  await release();
  expect(lane.cutsInHand().cuts).toBe(0);
});

it('does not begin what it has in hand before that is finished', async () => {
  const { lane, begun, release } = slowTarget();
  lane.offer(lease('a', 'due'), NOW_MS);
  lane.offer(lease('a', 'due'), NOW_MS);
  lane.offer(lease('a', 'cut'), NOW_MS);
  expect(begun).toEqual(['due a', 'cut a']);
  await release();
  expect(begun).toEqual(['due a', 'cut a', 'due a']);
  await release();
  expect(begun).toHaveLength(3);
});

it('cleans only while no cut waits', async () => {
  const { lane, begun, release } = slowTarget();
  for (let i = 0; i < 201; i++) lane.offer(lease(`cut-${i}`, 'due'), NOW_MS);
  lane.offer(lease('clean', 'cut'), NOW_MS);
  expect(begun).toHaveLength(200);
  expect(begun).not.toContain('cut clean');
  await release();
  expect(begun.slice(200)).toEqual(['due cut-200', 'cut clean']);
});

it('lets a claim go that is about to lapse before its turn', async () => {
  const { lane, begun, lapsed, release } = slowTarget();
  for (let i = 0; i < 200; i++) lane.offer(lease(`cut-${i}`, 'due'), NOW_MS);
  lane.offer(lease('late', 'due'), NOW_MS - 4_500);
  await release();
  expect(begun).not.toContain('due late');
  expect(lapsed).toEqual(['late']);
  lane.offer(lease('late', 'due'), Date.now());
  expect(begun).toContain('due late');
});

it('has bounded room, and none once it stops', async () => {
  const { lane, begun, release } = slowTarget();
  for (let i = 0; i < 210; i++) lane.offer(lease(`cut-${i}`, 'due'), NOW_MS);
  expect(lane.room('due')).toBe(390);
  const stopped = lane.stop();
  expect(lane.room('due')).toBe(0);
  lane.offer(lease('more', 'due'), NOW_MS);
  await release();
  await stopped;
  expect(begun).toHaveLength(200);
});

it('begins with a task of one lease before the rest of a task of many, and with a tenant of one before both', async () => {
  const { lane, begun, release } = slowTarget();
  for (let i = 0; i < 400; i++) lane.offer(lease(`long-${i}`, 'due'), NOW_MS);
  lane.offer(lease('short', 'due', 'another task'), NOW_MS);
  lane.offer(lease('other', 'due', 'its task', 'another tenant'), NOW_MS);
  await release();
  expect(begun.slice(200, 203)).toEqual(['due long-200', 'due other', 'due short']);
});

it('keeps places for tasks and tenants of which nothing waits', () => {
  const { lane } = slowTarget();
  for (let i = 0; i < 600; i++) lane.offer(lease(`long-${i}`, 'due'), NOW_MS);
  const places = lane.places();
  expect(places.take(lease('more', 'due'))).toBe(false);
  expect(places.take(lease('short', 'due', 'another task'))).toBe(true);
  expect(places.take(lease('short-2', 'due', 'another task'))).toBe(false);
  const tasks = Array.from({ length: 200 }, (_, n) => places.take(lease(`t-${n}`, 'due', `task ${n}`)));
  expect(tasks.filter(Boolean)).toHaveLength(99);
  expect(places.take(lease('other', 'due', 'its task', 'another tenant'))).toBe(true);
  expect(places.take(lease('clean', 'cut'))).toBe(true);
});
