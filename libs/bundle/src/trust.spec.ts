import { generateNoteKey } from '#merkle/note-key.js';
import { LOG } from '../spec/tampered.js';
import { ORIGIN, TRUST, VKEY } from '../spec/small-log.js';
import { openTrusted, parseTrust } from './trust.js';

const refusal = (code: string): Error => expect.objectContaining({ name: 'BundleError', code }) as Error;

it('reads logs, comments and an address', () => {
  const { logs } = parseTrust(`# ours\n\nlog ${VKEY} https://audit.example/log\nquorum none\n`);
  expect([...logs.keys()]).toEqual([ORIGIN]);
});

it('reads several keys of one log, as after a rotation', () => {
  const { logs } = parseTrust(`log ${VKEY}\nlog ${generateNoteKey(ORIGIN).vkey}`);
  expect(logs.get(ORIGIN)).toHaveLength(2);
});

it.each(['', '# nothing', 'log', 'log nobody', `log ${VKEY} a b`, `logs ${VKEY}`, VKEY, 'x'.repeat(70_000)])(
  'refuses %.30j',
  (text) => {
    expect(() => parseTrust(text)).toThrow(refusal('ERR_TRUST_MALFORMED'));
  },
);

it.each(['witness w1 w+1+x', 'group g any w1', 'quorum g'])('does not half obey %j', (line) => {
  expect(() => parseTrust(`log ${VKEY}\n${line}`)).toThrow(refusal('ERR_TRUST_UNSUPPORTED'));
});

it('opens a checkpoint of a trusted log', () => {
  expect(openTrusted(LOG.note(5), TRUST, 'checkpoint')).toEqual({
    ...LOG.head(5),
    signedBy: [`${ORIGIN}+a21afb2a`],
  });
});
