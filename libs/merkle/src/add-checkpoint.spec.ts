import { hasher } from '../node/hasher.js';
import { parseVerifier, parseWitness } from '../node/keys.js';
import { nodeReader, plain } from '../spec/leaves.js';
import { refusal } from '../spec/refusal.js';
import {
  AT_S,
  cosigners,
  leafHashes,
  logKey,
  noteAt,
  ORIGIN,
  textAt,
  witnessKeys,
} from '../spec/sample-log.js';
import { formatAddCheckpoint, parseAddCheckpoint, withCosignatures } from './add-checkpoint.js';
import { openNote, signatureLine } from './note.js';
import { proveConsistency } from './proof.js';

const proof = proveConsistency(hasher, 3n, 8n, nodeReader(leafHashes)).map(plain);
const request = { oldSize: 3n, proof, checkpoint: noteAt(8) };
const witnesses = witnessKeys.map(({ vkey }) => parseWitness(vkey));

describe('the request', () => {
  it('reads what it writes', () => {
    expect(parseAddCheckpoint(formatAddCheckpoint(request))).toEqual(request);
    const first = { oldSize: 0n, proof: [], checkpoint: noteAt(8) };
    expect(formatAddCheckpoint(first)).toBe(`old 0\n\n${noteAt(8)}`);
    expect(parseAddCheckpoint(formatAddCheckpoint(first))).toEqual(first);
  });

  it('reads the example of the specification (C2SP tlog-witness)', () => {
    const {
      oldSize,
      proof: hashes,
      checkpoint,
    } = parseAddCheckpoint(`old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
`);
    expect([oldSize, hashes.length]).toEqual([20_852_014n, 4]);
    expect(checkpoint.split('\n')[1]).toBe('20852163');
  });

  it('refuses what is malformed', () => {
    const body = formatAddCheckpoint(request);
    const [, hash = ''] = body.split('\n');
    for (const bad of [
      '',
      noteAt(8),
      body.replace('old 3', 'old 03'),
      body.replace('old 3', 'old -3'),
      body.replace('old 3', 'old'),
      body.replace('old 3', 'new 3'),
      body.replace('old 3\n', ''),
      body.replace(hash, hash.slice(4)),
      body.replace(hash, hash.replace('=', '')),
      body.replace(hash, Array<string>(64).fill(hash).join('\n')),
      `old 0\n\n${'x'.repeat(2_000_000)}`,
    ])
      expect(() => parseAddCheckpoint(bad)).toThrow(refusal('ERR_WITNESS_REQUEST'));
  });
});

describe('the answer', () => {
  const lines = cosigners.map((each) => each.cosign(textAt(8), AT_S));

  it('adds the cosignatures of the witnesses that were asked, and nothing else', () => {
    const foreign = signatureLine('other.example', 7, new Uint8Array(72));
    const note = withCosignatures(noteAt(8), `${foreign}${lines[1]}`, witnesses);
    expect(note).toBe(noteAt(8) + lines[1]);
    expect(
      openNote(note, [parseVerifier(logKey.vkey), ...witnesses]).verified.map(({ key }) => key.name),
    ).toEqual([ORIGIN, 'witness.example/w2']);
  });

  it('is refused when it is of another checkpoint, of others, or no signature lines', () => {
    const [witness] = witnesses;
    const answer = (text: string) => () => withCosignatures(noteAt(8), text, [witness!]);
    expect(answer(cosigners[0]!.cosign(textAt(7), AT_S))).toThrow(refusal('ERR_NOTE_SIGNATURE_INVALID'));
    expect(answer(lines[1]!)).toThrow(refusal('ERR_NOTE_UNTRUSTED'));
    for (const text of [
      '',
      'ok',
      `${lines[0]}\nmore\n\n${lines[0]}`,
      lines[0]!.trimEnd(),
      lines[0]!.repeat(101),
    ])
      expect(answer(text)).toThrow(refusal('ERR_NOTE_MALFORMED'));
  });
});
