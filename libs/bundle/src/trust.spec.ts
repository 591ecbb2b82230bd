import { generateNoteKey, generateWitnessKey } from '#merkle/node/keys.js';
import { LOG } from '../spec/changed-bundle.js';
import { ORIGIN, TRUST, VKEY } from '../spec/small-log.js';
import { openTrusted, parseTrust } from './trust.js';

const refusal = (code: string): Error => expect.objectContaining({ code }) as Error;

it('reads logs, comments and an address', () => {
  const { logs } = parseTrust(`# ours\n\nlog ${VKEY} https://audit.example/log\nquorum none\n`);
  expect(logs.map(({ key }) => key.name)).toEqual([ORIGIN]);
});

it('reads several keys of one log, as after a rotation', () => {
  expect(parseTrust(`log ${VKEY}\nlog ${generateNoteKey(ORIGIN).vkey}\nquorum none\n`).logs).toHaveLength(2);
});

it.each([
  '',
  '# nothing',
  'quorum none\n',
  'log',
  'log nobody',
  `log ${VKEY} a b`,
  `logs ${VKEY}`,
  VKEY,
  'x'.repeat(70_000),
])('refuses %.30j', (text) => {
  expect(() => parseTrust(text)).toThrow(refusal('ERR_TRUST_MALFORMED'));
});

it('says in which line it is malformed', () => {
  expect(() => parseTrust(`log ${VKEY}\nwitness w1 w+1+x\nquorum w1\n`)).toThrow(
    expect.objectContaining({ place: 'trust file, line 2' }) as Error,
  );
});

it('opens nothing that too few witnesses saw', () => {
  const witness = generateWitnessKey('witness.example/w1').vkey;
  const trust = parseTrust(`log ${VKEY}\nwitness w1 ${witness}\nquorum w1\n`);
  expect(() => openTrusted(LOG.note(5), trust, 'checkpoint')).toThrow(refusal('ERR_TRUST_QUORUM'));
});

it('opens a checkpoint of a trusted log', () => {
  expect(openTrusted(LOG.note(5), TRUST, 'checkpoint')).toEqual({
    ...LOG.head(5),
    signedBy: [`${ORIGIN}+a21afb2a`],
    cosignedBy: [],
  });
});
