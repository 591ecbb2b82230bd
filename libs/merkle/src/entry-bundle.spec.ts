import fc from 'fast-check';
import { sha256 } from '../node/hasher.js';
import { hex, PUBLISHED_INPUTS } from '../spec/leaves.js';
import { refusal } from '../spec/refusal.js';
import { encodeBundle, parseBundle } from './entry-bundle.js';

const malformed = refusal('ERR_BUNDLE_MALFORMED');

it('makes the known bundle of the eight published inputs', () => {
  const bundle = encodeBundle(PUBLISHED_INPUTS);
  expect(bundle).toHaveLength(50);
  expect(hex(sha256(bundle))).toBe('1afdc32f06ff88236207410a37b10ff2b5647186b52a531da0416d539b15a876');
  expect(parseBundle(bundle).map(hex)).toEqual(PUBLISHED_INPUTS.map(hex));
});

it('reads what it writes, of any entries', () => {
  const entries = fc.array(fc.uint8Array({ maxLength: 600 }), { minLength: 1, maxLength: 256 });
  fc.assert(
    fc.property(entries, (each) => expect(parseBundle(encodeBundle(each)).map(hex)).toEqual(each.map(hex))),
  );
});

it('holds the largest entry, and none that is larger', () => {
  const [first] = parseBundle(encodeBundle([new Uint8Array(65_535)]));
  expect(first).toHaveLength(65_535);
  expect(() => encodeBundle([new Uint8Array(65_536)])).toThrow(malformed);
});

it('holds 1 to 256 entries', () => {
  const full = Array.from({ length: 256 }, () => new Uint8Array(0));
  expect(parseBundle(encodeBundle(full))).toHaveLength(256);
  expect(() => encodeBundle([])).toThrow(malformed);
  expect(() => parseBundle(new Uint8Array(0))).toThrow(malformed);
  expect(() => encodeBundle([...full, new Uint8Array(0)])).toThrow(malformed);
  expect(() => parseBundle(new Uint8Array(257 * 2))).toThrow(malformed);
});

it('refuses a bundle that is cut off anywhere but between entries', () => {
  const bundle = encodeBundle(PUBLISHED_INPUTS.slice(3));
  const ends = [4, 8, 14, 24];
  for (let length = 1; length < bundle.length; length += 1) {
    const cut = () => parseBundle(bundle.subarray(0, length));
    if (ends.includes(length)) expect(cut().length).toBeLessThan(5);
    else expect(cut).toThrow(malformed);
  }
});
