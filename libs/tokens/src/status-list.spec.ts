import { deflateSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { jwtVerify } from 'jose';
import {
  decoded,
  forged,
  KID,
  keyOf,
  LIST_URI,
  NOW_MS,
  NOW_S,
  parts,
  PUBLISHED,
  sampleList,
  SIGNER,
  STRANGER,
} from '../test/samples.js';
import { MAX_STATUS_LIST_CHARS, readStatusList, signStatusList, StatusList } from './status-list.js';

const TRUST = { keyOf, uri: LIST_URI, nowMs: NOW_MS };
const deflated = (bytes: Buffer) => deflateSync(bytes).toString('base64url');
const CLAIMS = {
  sub: LIST_URI,
  iat: NOW_S,
  exp: NOW_S + 60,
  ttl: 5,
  status_list: { bits: 2, lst: deflated(Buffer.alloc(16)) },
};
const refusalOf = (token: string, trust: Partial<typeof TRUST & { maxBytes: number }> = {}) => {
  const result = readStatusList(token, { ...TRUST, ...trust });
  return result.ok ? undefined : result.refusal.code;
};

describe('a list of statuses', () => {
  it('has them from the least significant bits of each byte (draft, §4.1, the example with two bits)', () => {
    const list = StatusList.ofSize(12);
    // The statuses of the draft's second example; 3 is an application's own, and is written by nobody here.
    const statuses = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3];
    const names = ['VALID', 'INVALID', 'SUSPENDED'] as const;
    statuses.forEach((status, index) => {
      const name = names[status];
      if (name !== undefined) list.set(index, name);
    });
    expect(list.bytes.toString('hex')).toBe('094409');
    const whole = StatusList.ofBytes(inflateSync(Buffer.from('eNo76fITAAPfAgc', 'base64url')));
    expect(statuses.map((_status, index) => whole.get(index))).toEqual(
      statuses.map((status) => names[status]),
    );
  });

  it('is valid until somebody says otherwise, and can be valid again', () => {
    const list = StatusList.ofSize(5);
    expect(list.size).toBe(8);
    expect(list.get(4)).toBe('VALID');
    list.set(4, 'SUSPENDED');
    list.set(4, 'INVALID');
    expect([3, 4, 5].map((index) => list.get(index))).toEqual(['VALID', 'INVALID', 'VALID']);
    list.set(4, 'VALID');
    expect(list.get(4)).toBe('VALID');
  });

  it('says nothing of an index that it has not', () => {
    const list = StatusList.ofSize(8);
    for (const index of [8, -1, 0.5, NaN, Infinity, 2 ** 53]) {
      expect(list.get(index)).toBeUndefined();
      expect(() => list.set(index, 'INVALID')).toThrow(
        new RangeError('the index is outside the status list'),
      );
    }
  });

  it.each([0, -1, NaN, 4_194_305])('is not made for %d tokens', (size) => {
    expect(() => StatusList.ofSize(size)).toThrow(new RangeError('no size for a status list'));
  });
});

describe('a published list', () => {
  it('is read as it was signed', () => {
    const published = sampleList();
    const reading = readStatusList(signStatusList(published, SIGNER), TRUST);
    expect(reading).toEqual({ ok: true, ...published });
    expect(reading.ok && [4, 5, 42].map((index) => reading.list.get(index))).toEqual([
      'VALID',
      'INVALID',
      'SUSPENDED',
    ]);
  });

  it('verifies with jose, and its bytes inflate', async () => {
    const { payload, protectedHeader } = await jwtVerify(signStatusList(sampleList(), SIGNER), PUBLISHED, {
      algorithms: ['ES256'],
      typ: 'statuslist+jwt',
      subject: LIST_URI,
      currentDate: new Date(NOW_MS),
    });
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'statuslist+jwt', kid: KID });
    const { lst, bits } = payload.status_list as { lst: string; bits: number };
    expect(bits).toBe(2);
    expect(inflateSync(Buffer.from(lst, 'base64url'))).toEqual(sampleList().list.bytes);
  });

  it('of a million tokens, of which one in a hundred is dead, is not long', () => {
    const list = StatusList.ofSize(1_000_000);
    for (let index = 0; index < 1_000_000; index += 100) list.set((index * 7919) % 1_000_000, 'INVALID');
    const token = signStatusList({ ...sampleList(), list }, SIGNER);
    expect(token.length).toBeLessThan(150_000);
    const reading = readStatusList(token, TRUST);
    expect(reading.ok && reading.list.bytes.equals(list.bytes)).toBe(true);
  });

  it('of the largest size is read even if it does not compress', () => {
    // xorshift: bytes with nothing to compress, the same in each run.
    let state = 0x9e3779b9;
    const bytes = Buffer.from(
      Uint8Array.from({ length: 1_048_576 }, () => {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        return state & 0xff;
      }),
    );
    const token = signStatusList({ ...sampleList(), list: StatusList.ofBytes(bytes) }, SIGNER);
    expect(token.length).toBeLessThan(MAX_STATUS_LIST_CHARS);
    expect(refusalOf(token)).toBeUndefined();
  });

  it('ends with its second', () => {
    const token = signStatusList(sampleList(), SIGNER);
    expect(refusalOf(token, { nowMs: (NOW_S + 60) * 1000 - 1 })).toBeUndefined();
    expect(refusalOf(token, { nowMs: (NOW_S + 60) * 1000 })).toBe('ERR_TOKEN_EXPIRED');
    expect(refusalOf(token, { nowMs: NOW_MS - 2001 })).toBe('ERR_TOKEN_EARLY');
  });

  it('of another address is refused', () => {
    const token = signStatusList(sampleList(), SIGNER);
    expect(refusalOf(token, { uri: `${LIST_URI}0` })).toBe('ERR_STATUS_LIST_SUBJECT');
  });
});

describe('a status list that is refused:', () => {
  const { status_list: statusList } = CLAIMS;
  const bomb = deflated(Buffer.alloc(64 * 1_048_576));
  it.each([
    ['an access token', 'ERR_TOKEN_TYP', forged('at+jwt', CLAIMS)],
    ['by a stranger', 'ERR_TOKEN_SIGNATURE', forged('statuslist+jwt', CLAIMS, {}, STRANGER)],
    ['by a key we do not know', 'ERR_TOKEN_KEY_UNKNOWN', forged('statuslist+jwt', CLAIMS, { kid: 'x' })],
    ['no subject', 'ERR_STATUS_LIST_SUBJECT', forged('statuslist+jwt', { ...CLAIMS, sub: undefined })],
    ['no end', 'ERR_STATUS_LIST_INVALID', forged('statuslist+jwt', { ...CLAIMS, exp: undefined })],
    ['no issue', 'ERR_STATUS_LIST_INVALID', forged('statuslist+jwt', { ...CLAIMS, iat: undefined })],
    ['a ttl of nothing', 'ERR_STATUS_LIST_INVALID', forged('statuslist+jwt', { ...CLAIMS, ttl: 0 })],
    ['no list', 'ERR_STATUS_LIST_INVALID', forged('statuslist+jwt', { ...CLAIMS, status_list: undefined })],
    ...[
      ['one bit', { ...statusList, bits: 1 }],
      ['bits in words', { ...statusList, bits: '2' }],
      ['no bytes', { bits: 2 }],
      ['an empty list', { bits: 2, lst: deflated(Buffer.alloc(0)) }],
      ['bytes that are not deflated', { bits: 2, lst: Buffer.alloc(16).toString('base64url') }],
      ['padding', { bits: 2, lst: `${statusList.lst}=` }],
      ['a stream that is cut off', { bits: 2, lst: statusList.lst.slice(0, 8) }],
      [
        'bytes after the stream',
        {
          bits: 2,
          lst: Buffer.concat([deflateSync(Buffer.alloc(16)), Buffer.alloc(3)]).toString('base64url'),
        },
      ],
      ['64 MiB in 64 KiB', { bits: 2, lst: bomb }],
    ].map(([what, list]) => [
      what,
      'ERR_STATUS_LIST_INVALID',
      forged('statuslist+jwt', { ...CLAIMS, status_list: list }),
    ]),
    ['too many characters', 'ERR_TOKEN_TOO_LARGE', 'a'.repeat(MAX_STATUS_LIST_CHARS + 1)],
  ] as [string, string, string][])('%s', (_what, code, token) => {
    expect(refusalOf(token)).toBe(code);
  });

  it('one longer than its reader allows', () => {
    const token = forged('statuslist+jwt', CLAIMS);
    expect(refusalOf(token, { maxBytes: 16 })).toBeUndefined();
    expect(refusalOf(token, { maxBytes: 15 })).toBe('ERR_STATUS_LIST_INVALID');
  });

  it('nothing is inflated for a stranger', () => {
    const [header, , signature] = parts(forged('statuslist+jwt', CLAIMS));
    const other = { ...CLAIMS, status_list: { bits: 2, lst: bomb } };
    const token = `${header}.${Buffer.from(JSON.stringify(other)).toString('base64url')}.${signature}`;
    expect(decoded(parts(token)[1])).toHaveProperty('status_list.lst', bomb);
    expect(refusalOf(token)).toBe('ERR_TOKEN_SIGNATURE');
  });
});
