/** Valid tokens of all kinds, bent at random (seeded): never accepted, and never a throw. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  CLAIMS,
  forged,
  keyOf,
  LEASE_REVOKED,
  LIST_URI,
  NOW_MS,
  parts,
  sampleList,
  SIGNER,
  TASK_REVOKED,
  TRUST,
} from '../test/samples.js';
import { readAccessToken, signAccessToken, verifyAccessToken } from './access-token.js';
import { signSessionRevoked, verifySessionRevoked } from './security-event.js';
import { readStatusList, signStatusList } from './status-list.js';

const SEED = 20261125;
const KINDS = [
  {
    kind: 'access token',
    typ: 'at+jwt',
    valid: signAccessToken(CLAIMS, SIGNER),
    verify: (token: string) => verifyAccessToken(token, TRUST),
  },
  {
    kind: 'status list',
    typ: 'statuslist+jwt',
    valid: signStatusList(sampleList(), SIGNER),
    verify: (token: string) => readStatusList(token, { keyOf, uri: LIST_URI, nowMs: NOW_MS }),
  },
  {
    kind: 'security event',
    typ: 'secevent+jwt',
    valid: signSessionRevoked(TASK_REVOKED, SIGNER),
    verify: (token: string) =>
      verifySessionRevoked(token, {
        keyOf,
        issuer: LEASE_REVOKED.iss,
        audience: LEASE_REVOKED.aud,
        nowMs: NOW_MS,
      }),
  },
];
const ALL_PARTS = KINDS.flatMap(({ valid }) => parts(valid));

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const at = fc.nat(4000);

type Bend = (token: string) => string;
/** One character or byte, one part, the whole text, or one member of the JSON, is another. */
const bend: fc.Arbitrary<Bend> = fc.oneof(
  fc
    .tuple(at, fc.string({ unit: 'binary', minLength: 0, maxLength: 2 }))
    .map(([n, text]): Bend => (token) => {
      const index = n % token.length;
      return token.slice(0, index) + text + token.slice(index + 1);
    }),
  fc.tuple(fc.nat(2), at, fc.integer({ min: 1, max: 255 })).map(([part, n, by]): Bend => (token) => {
    const all = parts(token);
    const bytes = Buffer.from(all[part] as string, 'base64url');
    bytes[n % bytes.length] = (bytes[n % bytes.length] ?? 0) ^ by;
    all[part] = bytes.toString('base64url');
    return all.join('.');
  }),
  fc.tuple(fc.nat(2), fc.constantFrom(...ALL_PARTS, '', 'e30', 'W10', 'bnVsbA')).map(
    ([part, other]): Bend =>
      (token) =>
        parts(token)
          .map((own, index) => (index === part ? other : own))
          .join('.'),
  ),
  fc.tuple(at, at).map(([from, length]): Bend => (token) => {
    const start = from % token.length;
    return token.slice(0, start) + token.slice(start + 1 + (length % 40));
  }),
  fc.constantFrom<Bend>(
    (token) => `${token}.`,
    (token) => `.${token}`,
    (token) => `${token}=`,
    (token) => ` ${token}`,
    (token) => `${token}\n`,
    (token) => token.repeat(2),
    (token) => parts(token).toReversed().join('.'),
    (token) => parts(token).slice(0, 2).join('.'),
  ),
  fc
    .tuple(fc.nat(1), at, fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant(undefined)))
    .map(([part, n, value]): Bend => (token) => {
      const all = parts(token);
      const json = JSON.parse(Buffer.from(all[part] as string, 'base64url').toString()) as object;
      all[part] = encode(changed(json, n, value));
      return all.join('.');
    }),
);

/** The value with the `n`th of all its members, counted through its depth, changed to `to`. */
function changed(value: object, n: number, to: unknown): object {
  const copy = structuredClone(value);
  const places: [Record<string, unknown>, string][] = [];
  const visit = (node: Record<string, unknown>) => {
    for (const name of Object.keys(node)) {
      places.push([node, name]);
      const inner = node[name];
      if (typeof inner === 'object' && inner !== null) visit(inner as Record<string, unknown>);
    }
  };
  visit(copy as Record<string, unknown>);
  const [node, name] = places[n % places.length] as (typeof places)[0];
  node[name] = to;
  return copy;
}

describe.each(KINDS)('a valid $kind', ({ valid, verify, typ }) => {
  it('is accepted', () => {
    expect(verify(valid).ok).toBe(true);
  });

  it('bent in one to three ways is refused', () => {
    let bentOnes = 0;
    fc.assert(
      fc.property(fc.array(bend, { minLength: 1, maxLength: 3 }), (bends) => {
        // A bend may undo another, or find nothing left to bend.
        const token = bends.reduce((each, bendOne) => {
          try {
            return bendOne(each);
          } catch {
            return each;
          }
        }, valid);
        if (token === valid) return;
        bentOnes += 1;
        const result = verify(token);
        expect(result.ok).toBe(false);
        expect(result).not.toHaveProperty('claims');
      }),
      { numRuns: 5000, seed: SEED },
    );
    expect(bentOnes).toBeGreaterThan(4500);
  });

  it('of which its issuer itself changes a member is accepted or refused, and never a throw', () => {
    const payload = JSON.parse(Buffer.from(parts(valid)[1], 'base64url').toString()) as object;
    fc.assert(
      fc.property(at, fc.jsonValue({ maxDepth: 3 }), fc.boolean(), (n, value, inHeader) => {
        const header = { alg: 'ES256', typ, kid: SIGNER.kid };
        const token = inHeader
          ? forged(typ, payload, changed(header, n, value))
          : forged(typ, changed(payload, n, value));
        const result = verify(token);
        if (!result.ok) expect(result.refusal.code).toMatch(/^ERR_(TOKEN|STATUS_LIST|SECURITY_EVENT)_/);
      }),
      { numRuns: 1000, seed: SEED },
    );
  });
});

it('no text at all makes reading throw', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.array(fc.jsonValue().map(encode), { maxLength: 4 }).map((some) => some.join('.')),
  );
  fc.assert(
    fc.property(text, (token) => {
      expect(readAccessToken(token).ok).toBe(false);
      for (const { verify } of KINDS) expect(verify(token).ok).toBe(false);
    }),
    { numRuns: 1000, seed: SEED },
  );
});
