import { setTimeout as sleep } from 'node:timers/promises';
import { AGENT_KEY, ISSUER_KEY, OTHER_KEY, publicOf } from '../../identity/test/fixtures.js';
import { until } from './revocation-log.contract.js';
import type { Fetch } from './fetch-document.js';
import { IssuerKeys, readIssuerKeys, type IssuerKeysSettings } from './issuer-keys.js';

const NOW = Date.parse('2026-11-24T12:00:00.000Z');
const URL = 'https://mayfly.example/.well-known/jwks.json';
const jwk = (kid: string, key = ISSUER_KEY, over: object = {}) => ({ ...publicOf(key), kid, ...over });

/** An issuer with a JWKS that the spec changes, and that counts who asks. */
class Issuer {
  keys: object[] = [jwk('a')];
  down = false;
  asked = 0;
  fetch: Fetch = async () => {
    this.asked += 1;
    await sleep(5);
    if (this.down) throw new TypeError('fetch failed');
    return Response.json({ keys: this.keys });
  };
}

let issuer: Issuer;
let nowMs: number;
let keys: IssuerKeys | undefined;
beforeEach(() => {
  issuer = new Issuer();
  nowMs = NOW;
});
afterEach(() => keys?.close());
const opened = async (over: Partial<IssuerKeysSettings> = {}) =>
  (keys = await IssuerKeys.open({ url: URL, fetch: issuer.fetch, clock: () => nowMs, ...over }));

it('knows the keys of the set by their names, and no others', async () => {
  const keys = await opened();
  expect(keys.keyOf('a')?.asymmetricKeyType).toBe('ec');
  expect(keys.keyOf('b')).toBeUndefined();
  expect(keys.keyOf('__proto__')).toBeUndefined();
});

it('asks once for a name that it does not know, and not again for a while', async () => {
  const keys = await opened();
  issuer.keys = [jwk('a'), jwk('b', AGENT_KEY)];
  const found = await Promise.all(Array.from({ length: 50 }, () => keys.seek('b', nowMs)));
  expect(found.every(Boolean)).toBe(true);
  expect(issuer.asked).toBe(2);
  for (let i = 0; i < 50; i += 1) expect(await keys.seek(`made up ${i}`, nowMs + 9_999)).toBe(false);
  expect(issuer.asked).toBe(2);
  await keys.seek('c', nowMs + 10_000);
  expect(issuer.asked).toBe(3);
});

it('gives up a key that is gone from the set', async () => {
  const keys = await opened();
  issuer.keys = [];
  await keys.refresh();
  expect(keys.keyOf('a')).toBeUndefined();
  expect(keys.isStale(nowMs)).toBe(false);
});

it('serves the last good keys while the issuer is down, up to the hard limit', async () => {
  const troubles: string[] = [];
  const keys = await opened({ hardLimitMs: 3_600_000, onTrouble: ({ message }) => troubles.push(message) });
  issuer.down = true;
  nowMs = NOW + 3_600_000;
  await keys.refresh();
  expect(keys.keyOf('a')).toBeDefined();
  expect(troubles).toEqual(['fetch failed']);
  nowMs += 1;
  expect(keys.keyOf('a')).toBeUndefined();
  expect(keys.isStale(nowMs)).toBe(true);
});

it('opens without an issuer, and has the keys once it is up', async () => {
  issuer.down = true;
  const keys = await opened({ coolDownMs: 20 });
  expect(keys.isStale(nowMs)).toBe(true);
  issuer.down = false;
  await until(() => keys.keyOf('a') !== undefined);
  expect(keys.isStale(nowMs)).toBe(false);
});

it('refreshes in the background, without anybody asking', async () => {
  const keys = await opened({ refreshEveryMs: 20 });
  issuer.keys = [jwk('b')];
  await until(() => keys.keyOf('b') !== undefined);
  expect(keys.keyOf('a')).toBeUndefined();
});

it.each(['http://mayfly.example/jwks', 'ftp://mayfly.example/jwks', 'file:///jwks'])(
  'takes no keys from %s',
  async (url) => {
    await expect(IssuerKeys.open({ url, fetch: issuer.fetch })).rejects.toThrow(
      'neither https nor on this machine',
    );
  },
);

describe('a JWK Set', () => {
  const read = (value: unknown) => readIssuerKeys(Buffer.from(JSON.stringify(value)));

  it('may hold keys for other things: they are passed over', () => {
    const others = [
      jwk('enc', AGENT_KEY, { use: 'enc' }),
      jwk('other', AGENT_KEY, { alg: 'ES384' }),
      { kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'rsa' },
      { ...publicOf(AGENT_KEY), y: publicOf(OTHER_KEY).y, kid: 'not on the curve' },
      publicOf(AGENT_KEY),
    ];
    expect([...read({ keys: [jwk('a'), ...others] }).keys()]).toEqual(['a']);
  });

  it.each([
    ['is no set', [], 'no JWK Set'],
    ['has no keys', {}, 'no JWK Set'],
    ['has a key that is none', { keys: ['a'] }, 'no JWK Set'],
    [
      'gives a private key away',
      { keys: [{ ...ISSUER_KEY, kid: 'a' }] },
      'the JWK Set gives a private key away',
    ],
    ['has one name twice', { keys: [jwk('a'), jwk('a', AGENT_KEY)] }, 'a key id is given twice'],
    ['has too many keys', { keys: Array.from({ length: 65 }, (_, i) => jwk(`k${i}`)) }, 'too many keys'],
  ])('that %s is refused whole', (_what, value, message) => {
    expect(() => read(value)).toThrow(message);
  });
});
