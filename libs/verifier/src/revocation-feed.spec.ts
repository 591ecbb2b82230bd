import { setTimeout as sleep } from 'node:timers/promises';
import { somebodyElse } from '../../bus/test/somebody-else.js';
import { RevocationFeed } from './revocation-feed.js';
import { FakeLog, FakeRevoker, PEERS, until } from './revocation-log.contract.js';
import { AGENT, KID, LEASE, NOW_MS, PARENT, TASK, claims } from './verifier-world.contract.js';
import type { VerifiedToken } from './life.js';

let nowMs = NOW_MS;
const clock = () => nowMs;
let log: FakeLog;
let revoker: FakeRevoker;
let feed: RevocationFeed | undefined;
let token: VerifiedToken;
let troubles: string[];

beforeEach(async () => {
  nowMs = NOW_MS;
  log = new FakeLog();
  revoker = new FakeRevoker(log, clock);
  troubles = [];
  token = { claims: (await claims()) as VerifiedToken['claims'], kid: KID };
});
afterEach(() => feed?.close());

const opened = async () => {
  feed = await RevocationFeed.open({
    log,
    peers: PEERS,
    clock,
    onTrouble: ({ message }) => troubles.push(message),
  });
  await log.settled();
  return feed;
};

it('knows after it has read the topic to its end, and heard a heartbeat', async () => {
  await revoker.revoke('lease', 'another');
  await revoker.beat();
  const feed = await opened();
  expect(feed.know()).toEqual({ knows: true });
  expect(feed.lifeOf(token, nowMs)).toBe('live');
});

it('does not know before it has read to where the topic ended when it began', async () => {
  await revoker.beat();
  await revoker.revoke('lease', LEASE);
  let open = () => undefined as void;
  log.gate = new Promise((resolve) => (open = resolve));
  feed = await RevocationFeed.open({ log, peers: PEERS, clock });
  await sleep(20);
  expect(feed.know()).toEqual({ knows: false, why: 'catching_up' });
  open();
  await log.settled();
  expect(feed.lifeOf(token, nowMs)).toBe('dead');
});

it('says that it has read, once the set knows', async () => {
  let seen: boolean[] = [];
  feed = await RevocationFeed.open({
    ...{ log, peers: PEERS, clock },
    onRead: () => seen.push(feed?.lifeOf(token, nowMs) === 'dead'),
  });
  await log.settled();
  seen = [];
  await revoker.revoke('lease', LEASE);
  await log.settled();
  expect(seen).toEqual([true]);
});

it('does not know of an empty topic', async () => {
  const feed = await opened();
  expect(feed.lifeOf(token, nowMs)).toBe('unknown');
  expect(feed.know()).toEqual({ knows: false, why: 'silent' });
});

it.each([
  ['lease', LEASE],
  ['task', TASK],
  ['task', PARENT],
  ['agent', AGENT],
  ['key', KID],
] as const)('hears at once that %s %s is dead', async (what, id) => {
  await revoker.beat();
  const feed = await opened();
  expect(feed.lifeOf(token, nowMs)).toBe('live');
  await revoker.revoke(what, id);
  await log.settled();
  expect(feed.lifeOf(token, nowMs)).toBe('dead');
});

it('takes the tokens that an agent got after it was reinstated, and none of before', async () => {
  await revoker.revoke('agent', AGENT, { generationBelow: 1 });
  await revoker.beat();
  const feed = await opened();

  expect(feed.lifeOf(token, nowMs)).toBe('dead');
  expect(feed.lifeOf({ ...token, claims: { ...token.claims, agent_generation: 1 } }, nowMs)).toBe('live');
});

it('says 3 s after the last heartbeat that it does not know, and goes on refusing the dead', async () => {
  await revoker.revoke('task', 'another');
  await revoker.beat();
  const feed = await opened();
  nowMs += 3_001;
  expect(feed.lifeOf(token, nowMs)).toBe('unknown');
  const dead = { ...token, claims: { ...token.claims, lineage: [{ taskId: 'another', generation: 1 }] } };
  expect(feed.lifeOf(dead, nowMs)).toBe('dead');
});

it('does not know while the revoker has not read what was said over 3 s ago', async () => {
  await revoker.beat();
  const feed = await opened();
  log.inputs = 5n;
  for (let i = 0; i < 5; i += 1) {
    nowMs += 1_000;
    await revoker.beat({ readUpTo: 0n });
    await log.settled();
  }
  expect(feed.know()).toEqual({ knows: false, why: 'inputs_behind' });
  await revoker.beat();
  await log.settled();
  expect(feed.know()).toEqual({ knows: true });
});

it('does not know for long where nobody tells how far the inputs reach', async () => {
  await revoker.beat();
  const feed = await opened();
  log.unreachable = true;
  for (let i = 0; i < 5; i += 1) {
    nowMs += 1_000;
    await revoker.beat();
    await log.settled();
  }
  expect(feed.know()).toEqual({ knows: false, why: 'inputs_behind' });
  expect(troubles).toContain('unreachable');
});

describe('passes over', () => {
  const end = () =>
    Buffer.from(
      JSON.stringify({
        seq: 99,
        what: 'lease',
        id: LEASE,
        generationBelow: null,
        notAfter: new Date(nowMs).toISOString(),
        reason: 'operator',
      }),
    );
  const KEY = `lease:${LEASE}`;

  it.each<[string, () => Promise<void> | void]>([
    ['what a stranger signs', () => revoker.write(KEY, end(), { by: 'stranger' })],
    [
      'what a stranger signs as the revoker',
      () => revoker.write(KEY, end(), { by: 'stranger', kid: 'revoker' }),
    ],
    ['what the broker signs', () => revoker.write(KEY, end(), { by: 'broker', source: '//mayfly/broker' })],
    ['what nobody signs', () => log.append({ key: Buffer.from(KEY), value: end(), headers: {} })],
    ['a record about another key than its own', () => revoker.write('lease:another', end())],
    [
      'a record with another subject than its key',
      () => revoker.write(KEY, end(), { subject: 'lease:another' }),
    ],
    [
      'a record of another type',
      () => revoker.write(KEY, end(), { type: 'dev.mayfly.revocation.heartbeat.v1' }),
    ],
    ['a record that is no JSON', () => revoker.write(KEY, Buffer.from('{'))],
    ['a record without a key', () => log.append({ key: null, value: end(), headers: {} })],
  ])('%s', async (_what, write) => {
    await revoker.beat();
    const feed = await opened();
    await write();
    await log.settled();
    expect(feed.passedOver).toBe(1);
    expect(feed.lifeOf(token, nowMs)).toBe('live');
  });

  it('a heartbeat that a stranger signs: silence is heard as silence', async () => {
    await revoker.beat();
    const feed = await opened();
    nowMs += 3_001;
    await revoker.write('heartbeat', log.records[0]?.value ?? null, { by: 'stranger', kid: 'revoker' });
    await log.settled();
    expect(feed.know()).toEqual({ knows: false, why: 'silent' });
  });

  it('a tombstone that a stranger signs, and one before its time', async () => {
    await revoker.revoke('lease', LEASE);
    await revoker.beat();
    const feed = await opened();
    await revoker.write(KEY, null, { by: 'stranger', kid: 'revoker' });
    await revoker.bury(KEY);
    await log.settled();
    expect(feed.lifeOf(token, nowMs)).toBe('dead');
  });

  it('what is handed over again', async () => {
    await revoker.revoke('lease', 'another');
    await revoker.beat();
    const feed = await opened();
    log.again(2);
    await log.settled();
    expect(feed.set.passedOver).toBe(0);
    expect(feed.know()).toEqual({ knows: true });
  });
});

it('takes a tombstone after the record is over', async () => {
  await revoker.revoke('lease', LEASE);
  await revoker.beat();
  const feed = await opened();
  nowMs += 120_000;
  await revoker.bury(`lease:${LEASE}`);
  await revoker.beat();
  await log.settled();
  expect(feed.set.size).toBe(0);
});

it('goes on where it was after its session was lost', async () => {
  await revoker.beat();
  const feed = await opened();
  log.unreachable = true;
  log.crash();
  await sleep(600);
  log.unreachable = false;
  await revoker.revoke('lease', LEASE);
  await revoker.beat();
  await until(() => log.subscriptions.length > 0);
  await log.settled();
  expect(feed.lifeOf(token, nowMs)).toBe('dead');
  expect(feed.know()).toEqual({ knows: true });
  expect(feed.set.passedOver).toBe(0);
  expect(troubles.slice(0, 2)).toEqual(['the session is lost', 'unreachable']);
});

it('starts again where the topic was made anew', async () => {
  await revoker.revoke('lease', LEASE);
  await revoker.beat();
  const feed = await opened();
  log.records.splice(0);
  log.crash();
  await until(() => log.subscriptions.length > 0);
  expect(feed.lifeOf(token, nowMs)).toBe('unknown');
  const anew = new FakeRevoker(log, clock);
  await anew.revoke('lease', LEASE);
  await anew.beat();
  await log.settled();
  expect(feed.lifeOf(token, nowMs)).toBe('dead');
  expect(feed.know()).toEqual({ knows: true });
});

it('reads the topic again where its sum is another one for long', async () => {
  await revoker.beat();
  const feed = await opened();
  await revoker.revoke('lease', LEASE);
  // Lost on its way to us alone.
  const [first] = log.subscriptions;
  await log.settled();
  feed.set.clear();
  feed.set.caughtUp();
  for (let i = 0; i < 30; i += 1) await revoker.beat();
  await log.settled();
  expect(feed.lifeOf(token, nowMs)).toBe('unknown');
  await until(() => log.subscriptions.length > 0 && log.subscriptions[0] !== first);
  await log.settled();
  expect(feed.lifeOf(token, nowMs)).toBe('dead');
  expect(feed.know()).toEqual({ knows: true });
});

it('begins at the oldest record that is still there', async () => {
  await revoker.revoke('lease', 'long ago');
  await revoker.bury('lease:long ago');
  await revoker.revoke('lease', LEASE);
  await revoker.beat();
  log.oldest = 2;
  const feed = await opened();
  expect(feed.lifeOf(token, nowMs)).toBe('dead');
  expect(feed.know()).toEqual({ knows: true });
});

it('reads for itself alone, so that each of several hears everything', async () => {
  await opened();
  const other = await RevocationFeed.open({ log, peers: PEERS, clock });
  const [first, second] = log.subscriptions.map(({ group }) => group);
  expect(first).toMatch(/^mayfly-verifier-/);
  expect(second).not.toBe(first);
  await other.close();
});

it('lets in who waits for the thread while it reads many records', async () => {
  for (const lease of 'abcdefghij') await revoker.revoke('lease', lease);
  const { busily, letInAfter } = somebodyElse();
  feed = await RevocationFeed.open({ log, peers: PEERS, clock: () => (busily(), nowMs) });
  await log.settled();
  expect(letInAfter()).toBeLessThan(5);
});
