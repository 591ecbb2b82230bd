import { parseNote, signatureLine } from '#merkle/note.js';
import { parseWitness } from '#merkle/node/keys.js';
import {
  AT_S,
  cosigned,
  cosigners,
  noteAt,
  textAt,
  witnessKeys,
} from '../../../../libs/merkle/spec/sample-log.js';
import { headOf, type AnchorCode } from './anchor.js';
import { judgeAnswer, type Judged } from './witness-answer.js';

const [mine, other] = cosigners;
const asked = { oldSize: 3n, head: headOf(noteAt(8)), key: parseWitness(witnessKeys[0]!.vkey) };
const judge = (status: number, body = ''): Judged => judgeAnswer({ status, body }, asked);
const line = mine!.cosign(textAt(8), AT_S);

it('takes the cosignature of the witness, and when it was made', () => {
  expect(judge(200, line)).toEqual({ is: 'cosigned', cosignature: { line, atS: AT_S } });
});

it('takes no line of anybody else with it', () => {
  const more =
    other!.cosign(textAt(8), AT_S) + line + signatureLine('stranger.example', 7, new Uint8Array(72));
  expect(judge(200, more)).toEqual({ is: 'cosigned', cosignature: { line, atS: AT_S } });
});

it('reads the published cosignature lines for what they are: of others (C2SP tlog-cosignature)', () => {
  const published =
    '— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n';
  expect(judge(200, published)).toEqual({ is: 'missed', code: 'ERR_ANCHOR_COSIGNATURE_INVALID' });
});

it('asks again from where the witness says it stands, further on or further back', () => {
  expect(judge(409, '5\n')).toEqual({ is: 'stands', at: 5n });
  expect(judge(409, '8')).toEqual({ is: 'stands', at: 8n });
  expect(judge(409, '0\n')).toEqual({ is: 'stands', at: 0n });
});

it.each<[string, number, string, AnchorCode]>([
  ['the witness has seen more than the log has', 409, '9\n', 'ERR_ANCHOR_AHEAD'],
  ['the head does not extend what the witness has', 422, '', 'ERR_ANCHOR_CONTRADICTED'],
  ['it does not know the log', 404, '', 'ERR_ANCHOR_LOG_UNKNOWN'],
  ['it does not know the key', 403, '', 'ERR_ANCHOR_KEY_UNKNOWN'],
  ['it is out of order', 500, '', 'ERR_ANCHOR_AWAY'],
  ['it has too much to do', 429, '', 'ERR_ANCHOR_AWAY'],
  ['it sends elsewhere', 307, '', 'ERR_ANCHOR_ANSWER_INVALID'],
  ['it finds the request malformed', 400, '', 'ERR_ANCHOR_ANSWER_INVALID'],
  ['its size is none', 409, 'five\n', 'ERR_ANCHOR_ANSWER_INVALID'],
  ['its size is the one that it was asked from', 409, '3\n', 'ERR_ANCHOR_ANSWER_INVALID'],
  ['it answers nothing', 200, '', 'ERR_ANCHOR_ANSWER_INVALID'],
  ['it answers something else', 200, '<html>', 'ERR_ANCHOR_ANSWER_INVALID'],
  [
    'its cosignature is of another head',
    200,
    mine!.cosign(textAt(7), AT_S),
    'ERR_ANCHOR_COSIGNATURE_INVALID',
  ],
  [
    'its cosignature is of another key',
    200,
    other!.cosign(textAt(8), AT_S),
    'ERR_ANCHOR_COSIGNATURE_INVALID',
  ],
  [
    'its cosignature is forged',
    200,
    signatureLine(asked.key.name, asked.key.keyId, new Uint8Array(72)),
    'ERR_ANCHOR_COSIGNATURE_INVALID',
  ],
])('says so where %s', (_what, status, body, code) => {
  expect(judge(status, body)).toEqual({ is: 'missed', code });
});

it('says so where it has another tree of the same size', () => {
  const same = { ...asked, oldSize: 8n };
  expect(judgeAnswer({ status: 409, body: '8\n' }, same)).toEqual({
    is: 'missed',
    code: 'ERR_ANCHOR_CONTRADICTED',
  });
});

it('adds its line to the note, which then verifies under both keys', () => {
  expect(parseNote(noteAt(8) + line).signatures).toHaveLength(2);
  expect(noteAt(8) + line).toBe(cosigned(0));
});
