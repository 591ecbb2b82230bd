import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BusRecord } from '#bus/bus.js';
import { AGENT_ED25519_KEY, AGENT_KEY, corpTrust, send } from '../test/fixtures.js';
import { admit } from './admit.js';

const text = (value: unknown) => Buffer.from(value as Buffer);

/** The record with one byte of one of its parts changed; `where` says which. */
function changed(
  record: BusRecord,
  part: number,
  at: number,
  by: number,
): { record: BusRecord; where: string } {
  const bent = { ...record, headers: { ...record.headers } };
  const flip = (bytes: Buffer) => {
    const copy = Buffer.from(bytes);
    const index = at % copy.length;
    copy[index] = (copy[index] ?? 0) ^ by;
    return copy;
  };
  const names = Object.keys(record.headers);
  const name = names[part % (names.length + 2)];
  if (name !== undefined) {
    bent.headers[name] = flip(text(record.headers[name]));
    return { record: bent, where: name };
  }
  if (part % (names.length + 2) === names.length)
    return { record: { ...bent, key: flip(text(record.key)) }, where: 'key' };
  return { record: { ...bent, value: flip(text(record.value)) }, where: 'value' };
}

describe.each([
  ['ES256', AGENT_KEY],
  ['Ed25519', AGENT_ED25519_KEY],
])('a valid record proved with %s', (_algorithm, agentKey) => {
  it('of which any one byte is changed is refused, or admitted as the very same', () => {
    const trust = corpTrust();
    const record = send({ agentKey });
    const admitted = admit(record, trust);
    expect(admitted.ok).toBe(true);
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(5000), fc.integer({ min: 1, max: 255 }), (part, at, by) => {
        const { record: bent, where } = changed(record, part, at, by);
        const admission = admit(bent, trust);
        if (admission.ok) {
          // Claims that no rule reads; everything else is proved.
          expect(['ce_time', 'content-type']).toContain(where);
          expect(admission).toEqual(admitted);
        } else {
          expect(admission).not.toHaveProperty('sender');
        }
      }),
      { numRuns: 1500, seed: 20261124 },
    );
  });
});

it('no bytes at all make admission throw', () => {
  const trust = corpTrust();
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
  const honest = send();
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(honest.headers)),
      fc.oneof(bytes, fc.array(bytes, { maxLength: 3 }), fc.constant(undefined)),
      fc.option(bytes),
      fc.option(bytes),
      (name, header, key, value) => {
        const headers = { ...honest.headers, [name]: header };
        expect(admit({ ...honest, headers, key, value }, trust).ok).toBe(false);
      },
    ),
    { numRuns: 500, seed: 20261124 },
  );
});

it('no claims at all make admission throw', () => {
  const trust = corpTrust();
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (a, b, c, d) => {
      const claims = (value: unknown) => ({ sub: value, aud: value, exp: value, iat: value, topic: value });
      admit(send({ svidClaims: claims(a) }), trust);
      admit(send({ proofClaims: claims(b), proofHeader: { jwk: c } }), trust);
      admit(send({ data: d }), trust);
    }),
    { numRuns: 200, seed: 20261124 },
  );
});
