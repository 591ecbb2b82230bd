import { generateNoteKey, generateWitnessKey, parseTrustPolicy, platform } from '../node/keys.js';
import type { MerkleError } from './errors.js';
import { keyPair } from './key-text.js';
import { TRUST_LIMITS, type Group } from './trust-policy.js';

const log = generateNoteKey('log.example').vkey;
const keys = Array.from({ length: 6 }, (_, i) => generateWitnessKey(`witness.example/${i}`).vkey);
const [a = '', b = '', c = ''] = keys;

/** The example of C2SP tlog-policy, with keys. */
const EXAMPLE = `
log ${log}

witness X1 ${keys[0]}
witness X2 ${keys[1]}
witness X3 ${keys[2]}
group X-witnesses 2 X1 X2 X3

witness Y1 ${keys[3]}
witness Y2 ${keys[4]}
witness Y3 ${keys[5]}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`;

it('reads the example of the specification', () => {
  const { logs, witnesses, quorum } = parseTrustPolicy(EXAMPLE);
  expect(logs.map(({ key }) => key.name)).toEqual(['log.example']);
  expect(witnesses.map(({ name }) => name)).toEqual(['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3']);
  const { name, threshold, members } = quorum as Group;
  expect([name, threshold]).toEqual(['X-and-Y', 2]);
  expect((members as Group[]).map((group) => [group.name, group.threshold, group.members.length])).toEqual([
    ['X-witnesses', 2, 3],
    ['Y-witnesses', 1, 3],
  ]);
});

it('reads tabs, spaces on both ends, comments and empty lines, URLs, and any characters in names', () => {
  const text = `# trust\n\t \n \tlog\t ${log} https://log.example/ \n  # K is not \u212a\nwitness K ${a}\twss://ü.example\nwitness \u212a ${b}\ngroup all all K\nquorum K\n`;
  const { logs, witnesses, quorum } = parseTrustPolicy(text);
  expect(logs[0]?.url).toBe('https://log.example/');
  expect(witnesses.map(({ name, url }) => [name, url])).toEqual([
    ['K', 'wss://ü.example'],
    ['\u212a', undefined],
  ]);
  expect(quorum).toBe(witnesses[0]);
});

it('may ask for no witness, and name no log', () => {
  expect(parseTrustPolicy('quorum none')).toEqual(parseTrustPolicy('quorum none\n'));
  expect(parseTrustPolicy('quorum none\n')).toEqual({ logs: [], witnesses: [], quorum: undefined });
});

it('reads as many logs, witnesses and groups as the specification asks for', () => {
  const of = (make: (i: number) => string): string => Array.from({ length: 32 }, (_, i) => make(i)).join('');
  const text =
    of((i) => `log ${generateNoteKey(`log.example/${i}`).vkey}\n`) +
    of((i) => `witness w${i} ${generateWitnessKey(`witness.example/${i}`).vkey}\n`) +
    of((i) => `group g${i} all w${i}${i === 0 ? '' : ` g${i - 1}`}\n`);
  const { logs, witnesses } = parseTrustPolicy(`${text}quorum g31\n`);
  expect([logs.length, witnesses.length]).toEqual([32, 32]);
});

/** One public key under two names: two ids, and one that signs. */
const seed = Buffer.alloc(32, 7);
const [twin1, twin2] = ['one.example', 'two.example'].map((name) => keyPair(platform, name, seed).vkey);

const base = `log ${log}\nwitness a ${a}\nwitness b ${b}\n`;
it.each([
  ['an unknown keyword', 1, 'logs x\n'],
  ['a keyword in capitals', 1, `LOG ${log}\n`],
  ['a keyword that objects have', 1, 'constructor x\n'],
  ['a control character', 2, '# fine\n\u000bquorum none\n'],
  ['a carriage return', 1, 'quorum none\r\n'],
  ['DEL', 1, '# \u007f\nquorum none\n'],
  ['bytes that are no UTF-8', 1, '# \ufffd\nquorum none\n'],
  ['half a character', 1, '# \ud800\nquorum none\n'],
  ['a log without a key', 1, 'log\nquorum none\n'],
  ['a log with too many words', 1, `log ${log} https://log.example more\n`],
  ["a log whose key is a witness'", 1, `log ${a}\n`],
  ['a log whose key is mangled', 1, `log ${log.slice(0, -1)}\n`],
  ['a log twice', 2, `log ${log}\nlog ${log}\nquorum none\n`],
  ['two logs of one key', 2, `log ${twin1}\nlog ${twin2}\nquorum none\n`],
  ['a witness without a key', 1, 'witness a\n'],
  ['a witness with too many words', 1, `witness a ${a} https://a.example more\n`],
  ["a witness whose key is a log's", 1, `witness a ${log}\n`],
  ['a witness whose key is of a type that we do not know', 1, `witness a ${a.replace('+B', '+C')}\n`],
  ['a witness twice', 4, `${base}witness other ${a}\n`],
  ['a name twice', 4, `${base}witness a ${c}\n`],
  ['a group named as a witness', 4, `${base}group a any b\n`],
  ['a witness named none', 1, `witness none ${a}\n`],
  ['a group named none', 4, `${base}group none any a\n`],
  ['none in a group', 4, `${base}group g any none\n`],
  ['a group without members', 4, `${base}group g any\n`],
  ['a member that a line below defines', 4, `${base}group g any c\nwitness c ${c}\n`],
  ['a group in itself', 4, `${base}group g any g\n`],
  ['a member twice in one group', 4, `${base}group g any a a\n`],
  ['a member in two groups', 5, `${base}group g any a\ngroup h any a b\n`],
  ['threshold 0', 4, `${base}group g 0 a b\n`],
  ['a threshold above the members', 4, `${base}group g 3 a b\n`],
  ['a threshold with a zero in front', 4, `${base}group g 01 a b\n`],
  ['a threshold that is no number', 4, `${base}group g most a b\n`],
  ['a quorum that nothing defines', 4, `${base}quorum c\n`],
  ['a quorum that a line below defines', 1, `quorum a\nwitness a ${a}\n`],
  ['a quorum without a name', 4, `${base}quorum\n`],
  ['a quorum of two names', 4, `${base}quorum a b\n`],
  ['a second quorum', 5, `${base}quorum a\nquorum none\n`],
])('refuses %s, and says in which line', (_what, line, text) => {
  expect(faultOf(text)).toEqual({ code: 'ERR_TRUST_MALFORMED', fields: { line } });
});

it.each([
  ['no quorum', base],
  ['nothing', ''],
  ['too many bytes', `# ${'x'.repeat(TRUST_LIMITS.bytes)}\nquorum none\n`],
])('refuses a file with %s', (_what, text) => {
  expect(faultOf(text)).toEqual({ code: 'ERR_TRUST_MALFORMED', fields: {} });
});

it('refuses more logs, witnesses and groups than it has room for', () => {
  const many = (n: number, make: (i: number) => string): string =>
    Array.from({ length: n + 1 }, (_, i) => make(i)).join('');
  const { logs, witnesses, groups } = TRUST_LIMITS;
  expect(faultOf(many(logs, (i) => `log ${generateNoteKey(`l${i}`).vkey}\n`)).fields).toEqual({
    line: logs + 1,
  });
  expect(
    faultOf(many(witnesses, (i) => `witness w${i} ${generateWitnessKey(`w${i}`).vkey}\n`)).fields,
  ).toEqual({
    line: witnesses + 1,
  });
  const chain = many(groups, (i) => `group g${i} any ${i === 0 ? 'a' : `g${i - 1}`}\n`);
  expect(faultOf(`witness a ${a}\n${chain}`).fields).toEqual({ line: groups + 2 });
});

function faultOf(text: string): Pick<MerkleError, 'code' | 'fields'> {
  try {
    parseTrustPolicy(text);
  } catch (error) {
    const { code, fields } = error as MerkleError;
    return { code, fields };
  }
  throw new Error('the policy was read');
}
