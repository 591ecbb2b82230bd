/** Keys for tokens, shared by brokers, through their life. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { World, type BrokerProcess } from '../../test/harness.js';
import { FileKeyWrap } from './key-wrap.js';
import { startAnew } from './open-tokens.js';
import { StatusIndex } from './status-index.js';
import { KEEP_RETIRED_MS, TokenKeys } from './token-keys.js';

const order = { how: 'ahead' as const, reason: { why: 'order' as const, by: 'os:ada' } };
const QUICK = { rotateEveryMs: 86_400_000, publishAheadMs: 0 };
let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const nowS = () => Math.floor(Date.now() / 1_000);
const TASK = '01930000-0000-7000-8000-000000000001';
const AGENT = 'spiffe://dev.mayfly/agent/analyst';
const claims = {
  sub: 'user:maria@corp.example',
  aud: 'https://orders.example',
  client_id: AGENT,
  iat: nowS(),
  exp: nowS() + 300,
  jti: 'lease',
  cnf: { jkt: 'A'.repeat(43) },
  authorization_details: [
    {
      type: 'mayfly_tool_access' as const,
      locations: ['https://orders.example'] as [string],
      tool: 'orders.api',
      actions: ['read'],
      task: TASK,
    },
  ],
  act: { sub: AGENT },
  lineage: [{ taskId: TASK, generation: 1 }],
};
const keysOf = ({ parts }: BrokerProcess): TokenKeys => {
  if (parts.tokens === null) throw new Error('this broker makes no tokens');
  return parts.tokens.keys;
};
const kidOf = (keys: TokenKeys) => keys.sign(claims)?.kid ?? '';
const verifies = (keys: TokenKeys, token: string) =>
  jwtVerify(token, createLocalJWKSet({ keys: [...keys.jwks] })).then(
    () => true,
    () => false,
  );
const rows = () =>
  world.query<{ kid: string; state: string; is_wrapped: boolean }>(
    'SELECT kid, state, wrapped IS NOT NULL AS is_wrapped FROM token_key ORDER BY published_at',
  );

it('brokers that start at once share one first key, and say so once', async () => {
  const brokers = await Promise.all([world.start({}), world.start({}), world.start({})]);
  const kids = brokers.map((broker) => kidOf(keysOf(broker)));

  expect(new Set(kids).size).toBe(1);
  expect(await rows()).toMatchObject([{ kid: kids[0], state: 'active' }]);
  await world.quiet();
  expect(await world.hears('signing-key', 'signing_key.rotated')).toEqual([
    expect.objectContaining({ service: 'broker', kid: kids[0], why: 'first' }) as unknown,
  ]);
});

it('an ordered key is published first, and signs once verifiers can know it', async () => {
  const [one, other] = [keysOf(await world.start({})), keysOf(await world.start({}))];
  const before = kidOf(one);
  await one.rotate(order);
  await other.turn();

  expect(kidOf(one)).toBe(before);
  expect(one.jwks.map(({ kid }) => kid)).toHaveLength(2);
  expect(other.jwks).toEqual(one.jwks);

  await world.query("UPDATE token_key SET published_at = published_at - interval '60 s'");
  await Promise.all([one.turn(), other.turn()]);
  await Promise.all([one.turn(), other.turn()]);
  expect(kidOf(one)).not.toBe(before);
  expect(kidOf(other)).toBe(kidOf(one));
});

it('a retired key verifies what it signed, and can sign nothing more: its private half is gone', async () => {
  const keys = keysOf(await world.start(QUICK));
  const signed = keys.sign(claims);
  await keys.rotate(order);
  await keys.turn();

  expect(kidOf(keys)).not.toBe(signed?.kid);
  expect(await verifies(keys, signed?.token ?? '')).toBe(true);
  expect(await rows()).toEqual([
    { kid: signed?.kid, state: 'retired', is_wrapped: false },
    { kid: kidOf(keys), state: 'active', is_wrapped: true },
  ]);
  await world.quiet();
  expect((await world.hears('signing-key', 'signing_key.rotated', 2)).at(-1)).toMatchObject({
    kid: kidOf(keys),
    previous: signed?.kid,
    why: 'order',
    by: 'os:ada',
  });
});

it('an operator’s word is taken by one broker, once', async () => {
  const [one, other] = [keysOf(await world.start(QUICK)), keysOf(await world.start(QUICK))];
  const before = kidOf(one);
  await world.query("INSERT INTO token_key_order (how, ordered_by) VALUES ('ahead', 'os:ada')");
  for (let n = 0; n < 3; n += 1) await Promise.all([one.turn(), other.turn()]);

  expect(await rows()).toHaveLength(2);
  expect(kidOf(one)).not.toBe(before);
  expect(await world.query('SELECT FROM token_key_order')).toEqual([]);
});

it('a compromised key verifies nothing from now on, and verifiers are to be told which it is', async () => {
  const keys = keysOf(await world.start({}));
  const signed = keys.sign(claims);
  await keys.rotate({ ...order, how: 'compromised' });

  expect(await verifies(keys, signed?.token ?? '')).toBe(false);
  expect(keys.jwks.map(({ kid }) => kid)).toEqual([kidOf(keys)]);
  expect(kidOf(keys)).not.toBe(signed?.kid);
  await world.quiet();
  expect((await world.hears('signing-key', 'signing_key.rotated', 2)).at(-1)).toMatchObject({
    previous: signed?.kid,
    compromised: signed?.kid,
    by: 'os:ada',
  });
});

it('a key is forgotten once the last token that it signed has expired, and not before', async () => {
  const keys = keysOf(await world.start(QUICK));
  const signed = keys.sign(claims);
  await keys.rotate(order);
  await keys.turn();
  const later = (ms: number) =>
    world.query(`UPDATE token_key SET retired_at = retired_at - $1 * interval '1 ms'`, [ms]);

  await later(KEEP_RETIRED_MS - 60_000);
  await keys.turn();
  expect(await verifies(keys, signed?.token ?? '')).toBe(true);

  await later(60_000);
  await keys.turn();
  expect(await verifies(keys, signed?.token ?? '')).toBe(false);
  expect(keys.jwks).toHaveLength(1);
});

it('keys come and go by schedule', async () => {
  const keys = keysOf(await world.start({}));
  const first = kidOf(keys);
  await world.query("UPDATE token_key SET active_at = active_at - interval '24 h'");
  await keys.turn();
  expect(kidOf(keys)).toBe(first);
  await world.query("UPDATE token_key SET published_at = published_at - interval '60 s'");
  await keys.turn();

  expect(kidOf(keys)).not.toBe(first);
});

it('after a restore another key signs at once, and no earlier one', async () => {
  const broker = await world.start({});
  const keys = keysOf(broker);
  await keys.rotate(order);
  const earlier = keys.jwks.map(({ kid }) => kid);
  if (broker.parts.tokens !== null) await startAnew(broker.parts.tokens);

  expect(earlier).toHaveLength(2);
  expect(earlier).not.toContain(kidOf(keys));
  expect((await rows()).filter(({ is_wrapped: wrapped }) => wrapped)).toEqual([
    { kid: kidOf(keys), state: 'active', is_wrapped: true },
  ]);
});

it('another key-encryption key opens nothing, and is told at the start', async () => {
  await world.start({});
  const { db, relay } = (await world.start()).parts;
  const wrong = await wrapOf(randomBytes(32));

  await expect(
    TokenKeys.open({
      ...{ db, wrap: wrong, issuer: 'https://mayfly.example', schedule: QUICK },
      send: (queued) => void relay.send(queued),
    }),
  ).rejects.toMatchObject({ name: 'IdentityError', code: 'ERR_IDENTITY_KEY_INVALID' });
});

describe('places in status lists', () => {
  const place = ({ parts }: BrokerProcess) => parts.tokens?.status?.next();

  it('are given once, by whichever broker, and in no order', async () => {
    const [one, other] = [await world.start({}), await world.start({})];
    const given = Array.from({ length: 3_000 }, () => [place(one), place(other)]).flat();

    expect(given.every((each) => each?.uri === 'https://mayfly.example/status/0')).toBe(true);
    const indices = given.map((each) => each?.idx ?? -1);
    expect(new Set(indices).size).toBe(6_000);
    expect(Math.max(...indices)).toBeLessThan(2 ** 20);
    expect(Math.max(...indices)).toBeGreaterThan(2 ** 19);
  });

  it('are taken from the database before they run out', async () => {
    const broker = await world.start({});
    const { pool } = broker.parts.db;
    // One connection shows that the broker lives.
    const isIdle = () => pool.waitingCount === 0 && pool.idleCount === pool.totalCount - 1;
    const seen = new Set<number>();
    for (let n = 0; n < 20_000; n += 1) {
      if (n % 1_000 === 0) await world.until(isIdle, 'the database to have answered');
      seen.add(place(broker)?.idx ?? -1);
    }

    expect(seen.size).toBe(20_000);
    expect(seen.has(-1)).toBe(false);
  });

  it('go on in the next list, and after a restore in one that nobody has reached', async () => {
    await world.query("SELECT setval('status_index', (1 << 20) - 1024, false)");
    const broker = await world.start({});
    const uris = Array.from({ length: 1_025 }, () => place(broker)?.uri);
    expect(uris.at(0)).toBe('https://mayfly.example/status/0');
    expect(uris.at(-1)).toBe('https://mayfly.example/status/1');

    if (broker.parts.tokens !== null) await startAnew(broker.parts.tokens);
    const list = Number(/\/(\d+)$/.exec(place(broker)?.uri ?? '')?.[1]);
    expect(Math.abs(list - nowS())).toBeLessThan(60);
  });

  it('are none where the database does not answer for long, rather than one given twice', async () => {
    const { db } = (await world.start()).parts;
    const failures: unknown[] = [];
    const wrap = await wrapOf(Buffer.alloc(32, 1));
    const index = await StatusIndex.open({
      ...{ db, wrap, lists: 'https://mayfly.example/status' },
      onError: (error) => failures.push(error),
    });
    await world.query('DROP SEQUENCE status_index');
    const given = Array.from({ length: 7_000 }, () => index.next()?.idx);
    await world.until(() => failures.length > 0, 'the failure');

    expect(given.slice(6_144).every((each) => each === undefined)).toBe(true);
    expect(new Set(given.slice(0, 6_144)).size).toBe(6_144);
    expect(failures).toHaveLength(1);
  });
});

async function wrapOf(key: Buffer): Promise<FileKeyWrap> {
  const file = join(await mkdtemp(join(tmpdir(), 'mayfly-kek-')), 'kek');
  await writeFile(file, key.toString('base64'), { mode: 0o600 });
  return await FileKeyWrap.fromFile(file);
}
