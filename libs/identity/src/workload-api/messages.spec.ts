import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { MethodDefinition, ServiceDefinition } from '@grpc/proto-loader';
import { definition } from '../../test/workload-api-server.js';
import {
  readJwtBundlesResponse,
  readJwtSvidResponse,
  readValidationResponse,
  writeJwtSvidRequest,
  writeValidationRequest,
} from './messages.js';
import { field, fieldsOf } from './protobuf.js';

/** gRPC's own reading and writing of workload.proto. */
const methods = definition.SpiffeWorkloadAPI as ServiceDefinition;
const method = (name: string) => methods[name] as MethodDefinition<object, object>;
const text = fc.string({ unit: 'grapheme', maxLength: 300 });

it('what we write, others read', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(
        method('FetchJWTSVID').requestDeserialize(writeJwtSvidRequest({ audience: a, spiffeId: b })),
      ).toMatchObject({ audience: a === '' ? [] : [a], spiffe_id: b });
      expect(
        method('ValidateJWTSVID').requestDeserialize(writeValidationRequest({ audience: a, svid: b })),
      ).toMatchObject({ audience: a, svid: b });
    }),
    { numRuns: 200, seed: 20261125 },
  );
});

it('what others write, we read', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 5 }), (pairs) => {
      const svids = pairs.map(([spiffeId, svid]) => ({ spiffe_id: spiffeId, svid, hint: 'internal' }));
      expect(readJwtSvidResponse(method('FetchJWTSVID').responseSerialize({ svids }))).toEqual(
        pairs.map(([spiffeId, svid]) => ({ spiffeId, svid })),
      );
      const bundles = new Map(pairs.map(([id, jwks]) => [id, Buffer.from(jwks)]));
      const written = method('FetchJWTBundles').responseSerialize({ bundles: Object.fromEntries(bundles) });
      expect(new Map([...readJwtBundlesResponse(written)].sort())).toEqual(new Map([...bundles].sort()));
      const [first = ['', '']] = pairs;
      const claims = { fields: { n: { numberValue: 7 } } };
      const validated = method('ValidateJWTSVID').responseSerialize({ spiffe_id: first[0], claims });
      expect(readValidationResponse(validated)).toBe(first[0]);
    }),
    { numRuns: 200, seed: 20261125 },
  );
});

it('a message of more than 64 KiB is read whole', () => {
  const svid = 'a'.repeat(70_000);
  expect(readJwtSvidResponse(field(1, field(2, svid)))).toEqual([{ spiffeId: '', svid }]);
});

it('a field of another kind is skipped', () => {
  const skipped = Buffer.from('08ffffffffffffffffff01110102030405060708' + '1d01020304', 'hex');
  expect([...fieldsOf(Buffer.concat([skipped, field(2, 'x')]))]).toEqual([
    { number: 2, bytes: Buffer.from('x') },
  ]);
});

it.each([
  ['that ends too early', '0a05616263'],
  ['with a length that has no end', '0affffffffffffffffffffff01'],
  ['with a length of 2 GiB', '0affffffff07'],
  ['with a group', '0b'],
])('a message %s is none', (_what, bytes) => {
  expect(() => [...fieldsOf(Buffer.from(bytes, 'hex'))]).toThrow(RangeError);
});

it('no bytes at all do worse than throw an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        readJwtSvidResponse(Buffer.from(bytes));
        readJwtBundlesResponse(Buffer.from(bytes));
      } catch (error) {
        // TypeError: TextDecoder's, for what is no UTF-8.
        expect(error instanceof RangeError || error instanceof TypeError).toBe(true);
      }
    }),
    { numRuns: 1000, seed: 20261125 },
  );
});
