import { deflateSync } from 'node:zlib';
import { SignJWT, importJWK } from 'jose';
import { ISSUER_KEY, OTHER_KEY } from '../../identity/test/fixtures.js';
import type { Fetch } from './fetch-document.js';
import type { VerifiedToken } from './life.js';
import { StatusListSource } from './status-list-source.js';
import { FakeKeys, KID, NOW_MS, NOW_S, claims } from './verifier-world.contract.js';

const LISTS = 'https://mayfly.example/status/';
const URI = `${LISTS}1`;
/** Index 0 in the lowest bits: 0 VALID, 1 INVALID, 2 SUSPENDED, 3 without a meaning. */
const BYTES = Buffer.of(0b11_10_01_00);

/** A revoker that publishes lists, signed by `jose`. */
class Publisher {
  asked: string[] = [];
  down = false;
  over: Record<string, unknown> = {};
  bytes = BYTES;
  header = { kid: KID, key: ISSUER_KEY };

  fetch: Fetch = async (url) => {
    this.asked.push(url);
    if (this.down) throw new TypeError('fetch failed');
    const lst = deflateSync(this.bytes).toString('base64url');
    const payload = { sub: URI, iat: this.#s(), exp: this.#s() + 60, ttl: 10, status_list: { bits: 2, lst } };
    const token = await new SignJWT({ ...payload, ...this.over })
      .setProtectedHeader({ alg: 'ES256', typ: 'statuslist+jwt', kid: this.header.kid })
      .sign(await importJWK(this.header.key, 'ES256'));
    return new Response(token);
  };
  #s = () => Math.floor(nowMs / 1000);
}

let nowMs: number;
let publisher: Publisher;
let source: StatusListSource;
let troubles: string[];
const sourceWith = (keys = new FakeKeys()) =>
  new StatusListSource({
    lists: LISTS,
    keys,
    fetch: publisher.fetch,
    clock: () => nowMs,
    onTrouble: ({ message }) => troubles.push(message),
  });
beforeEach(() => {
  nowMs = NOW_MS;
  troubles = [];
  publisher = new Publisher();
  source = sourceWith();
});

const token = async (idx: number, uri = URI): Promise<VerifiedToken> => ({
  claims: (await claims({ status: { status_list: { idx, uri } } })) as unknown as VerifiedToken['claims'],
  kid: KID,
});
const life = async (idx: number, uri?: string) => source.lifeOf(await token(idx, uri), nowMs);

it.each([
  [0, 'live'],
  [1, 'dead'],
  [2, 'dead'],
  [3, 'unknown'],
  [4, 'unknown'],
])('says of index %i: %s', async (idx, expected) => {
  expect(await life(idx)).toBe(expected);
});

it('knows nothing of a token without a status', async () => {
  const none = { claims: (await claims()) as VerifiedToken['claims'], kid: KID };
  expect(await source.lifeOf(none, nowMs)).toBe('unknown');
});

it.each([
  'https://evil.example/status/1',
  'https://mayfly.example/status/../other',
  'https://mayfly.example/status/1?list=2',
  'https://mayfly.example/status/',
  'https://mayfly.example.evil.example/status/1',
])('does not fetch %s, whatever a token says', async (uri) => {
  expect(await life(0, uri)).toBe('unknown');
  expect(publisher.asked).toEqual([]);
});

it('asks once for all who ask at the same time, and not again within half the ttl', async () => {
  await Promise.all([life(0), life(1), life(2)]);
  nowMs += 5_000;
  await life(0);
  expect(publisher.asked).toEqual([URI]);
});

it('hears of an end when its copy is older than the ttl', async () => {
  await life(0);
  publisher.bytes = Buffer.of(1);
  nowMs += 10_001;
  expect(await life(0)).toBe('dead');
});

it('fetches in the background before the ttl is over', async () => {
  await life(0);
  publisher.bytes = Buffer.of(1);
  nowMs += 6_000;
  expect(await life(0)).toBe('live');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await life(0)).toBe('dead');
});

it('serves the last good list until its own end, then does not know', async () => {
  await life(0);
  publisher.down = true;
  nowMs += 59_000;
  expect(await life(0)).toBe('live');
  expect(await life(1)).toBe('dead');
  nowMs += 1_000;
  expect(await life(0)).toBe('unknown');
  expect(troubles).toContain('fetch failed');
});

it('does not ask a publisher that is down for every request', async () => {
  publisher.down = true;
  for (let i = 0; i < 20; i += 1) expect(await life(0)).toBe('unknown');
  expect(publisher.asked).toHaveLength(1);
  nowMs += 1_000;
  publisher.down = false;
  expect(await life(0)).toBe('live');
});

it('does not take an older list in place of the one at hand', async () => {
  await life(0);
  publisher.bytes = Buffer.of(1);
  publisher.over = { iat: NOW_S - 5, exp: NOW_S + 3_600 };
  nowMs += 10_001;
  expect(await life(0)).toBe('live');
  expect(troubles).toEqual(['the status list is older than the one at hand']);
});

it.each([
  ['of another subject', { sub: `${LISTS}2` }, 'ERR_STATUS_LIST_SUBJECT'],
  ['that has expired', { exp: NOW_S }, 'ERR_TOKEN_EXPIRED'],
  ['without an end', { exp: undefined }, 'ERR_STATUS_LIST_INVALID'],
  ['that does not inflate', { status_list: { bits: 2, lst: 'AAAA' } }, 'ERR_STATUS_LIST_INVALID'],
])('knows nothing by a list %s', async (_what, over, code) => {
  publisher.over = over;
  expect(await life(0)).toBe('unknown');
  expect(troubles).toEqual([`the status list is refused: ${code}`]);
});

it('knows nothing by a list that somebody else signed', async () => {
  publisher.header = { kid: KID, key: OTHER_KEY };
  expect(await life(0)).toBe('unknown');
  expect(troubles).toEqual(['the status list is refused: ERR_TOKEN_SIGNATURE']);
});

it('looks for a key that it does not know', async () => {
  const known = new FakeKeys();
  source = sourceWith(new FakeKeys({}, known.known));
  expect(await life(0)).toBe('live');
});

it('keeps a bounded number of lists, and gives none up that serves', async () => {
  publisher.over = { sub: undefined };
  for (let i = 0; i < 40; i += 1) await life(0, `${LISTS}bad${i}`);
  publisher.over = {};
  expect(await life(0)).toBe('live');
});

it.each(['http://mayfly.example/status/', 'https://mayfly.example/status'])(
  'does not begin with %s',
  (lists) => {
    expect(() => new StatusListSource({ lists, keys: new FakeKeys() })).toThrow(TypeError);
  },
);
