import { parseCosigner, parseWitness } from '../node/keys.js';
import { incrementsOf } from '../spec/mangled.js';
import { isRefused, refusal } from '../spec/refusal.js';
import { AT_S, cosigned, cosigners, logKey, noteAt, textAt, witnessKeys } from '../spec/sample-log.js';
import { cosignedAtS } from './cosignature.js';
import { openNote, parseNote, signatureLine } from './note.js';

const [w1 = '', w2 = ''] = witnessKeys.map(({ vkey }) => vkey);
const witness = parseWitness(w1);
const bytes = (text: string): Buffer => Buffer.from(text);

it('reads key id and time of the published example (C2SP tlog-cosignature)', () => {
  const { signatures } = parseNote(`example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`);
  const cosignature = signatures[1]!;
  expect(cosignature).toMatchObject({ name: 'witness.example.com/w1', keyId: 0x8d66cf3f });
  expect(cosignedAtS(cosignature.signature)).toBe(1_679_315_147n);
  expect(cosignature.signature).toHaveLength(8 + 64);
});

it('makes the known cosignature of the tree of eight byte for byte', () => {
  expect(w1).toBe('witness.example/w1+04d2d833+BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM');
  expect(cosigners[0]!.cosign(textAt(8), AT_S)).toBe(
    '— witness.example/w1 BNLYMwAAAABqbJFgiC2uUzuL1VrvIvURLBGmMRNDKse1F5WhDlFnpopiuwJGci/hzf9PYjKOKVeqJDkB4k7TnW7WBvU8Rrx7qRopCQ==\n',
  );
});

it('verifies as a signature of the note, and tells when it was made', () => {
  const { verified, unknown } = openNote(cosigned(0, 1), [witness]);
  expect(verified.map(({ key, signature }) => [key.name, cosignedAtS(signature)])).toEqual([
    ['witness.example/w1', AT_S],
  ]);
  expect(unknown).toBe(2);
});

it('covers the time, every byte of the checkpoint, and its own kind', () => {
  const { signature } = openNote(cosigned(0), [witness]).verified[0]!;
  expect(witness.verify(bytes(textAt(8)), signature)).toBe(true);
  expect(witness.verify(bytes(textAt(7)), signature)).toBe(false);
  expect(witness.verify(bytes(`${textAt(8)}extension\n`), signature)).toBe(false);
  expect(parseWitness(w2).verify(bytes(textAt(8)), signature)).toBe(false);
  expect(witness.verify(bytes(textAt(8)), signature.subarray(8))).toBe(false);
  for (let bit = 0; bit < signature.length * 8; bit += 1) {
    const copy = Buffer.from(signature);
    copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(witness.verify(bytes(textAt(8)), copy)).toBe(false);
  }
});

it('covers extension lines', () => {
  const text = `${textAt(8)}extension\n`;
  const note = `${text}\n${cosigners[0]!.cosign(text, AT_S)}`;
  expect(openNote(note, [witness]).text).toBe(text);
});

it('is refused with the whole note when it does not verify', () => {
  const forged = signatureLine(witness.name, witness.keyId, new Uint8Array(72));
  expect(() => openNote(noteAt(8) + forged, [witness])).toThrow(refusal('ERR_NOTE_SIGNATURE_INVALID'));
});

it('refuses keys of logs, and every byte of a key plus one', () => {
  for (const key of [logKey.vkey, w1.replace('BD1A', 'AD1A')])
    expect(() => parseWitness(key)).toThrow(refusal('ERR_NOTE_KEY_INVALID'));
  expect(() => parseCosigner(logKey.skey)).toThrow(refusal('ERR_NOTE_KEY_INVALID'));
  expect(incrementsOf(w1).filter((key) => !isRefused(() => parseWitness(key)))).toEqual([]);
});

it('cosigns nothing but a checkpoint, at a time that others can read', () => {
  const [cosigner] = cosigners;
  expect(() => cosigner!.cosign('hello\n', AT_S)).toThrow(refusal('ERR_CHECKPOINT_MALFORMED'));
  for (const atS of [-1n, 2n ** 63n])
    expect(() => cosigner!.cosign(textAt(8), atS)).toThrow(refusal('ERR_RANGE_INVALID'));
});
