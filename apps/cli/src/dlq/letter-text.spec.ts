import type { LetterOnBoard } from '#store/letter-board.js';
import { ageText, letterDocument, letterText, lineOf } from './letter-text.js';

const PARKED_MS = Date.UTC(2026, 10, 25, 8);
const letter = (more: Partial<LetterOnBoard> = {}): LetterOnBoard => ({
  id: 12n,
  topic: 'mayfly.task.events.v1',
  partition: 3,
  offset: 5n,
  key: '01a20fb8-c172-74ad-b8be-e0ba85b79c26',
  why: 'bug',
  code: 'TypeError',
  detail: 'TypeError at apps/broker/src/make-call.ts:40',
  holds: true,
  state: 'parked',
  attempts: 1,
  parkedAt: new Date(PARKED_MS),
  waiting: 2,
  passedOver: 0,
  appendedAtMs: BigInt(PARKED_MS - 1_000),
  valueSha256: 'ab'.repeat(32),
  orderedBy: null,
  orderedAt: null,
  reason: null,
  settledAt: null,
  content: { headers: { ce_type: 'dev.mayfly.tool.called.v1' }, value: Buffer.from('{"rows":1}') },
  ...more,
});
const line = (more: Partial<LetterOnBoard> = {}) => lineOf('broker', letter(more), PARKED_MS + 125_000);

it('tells a parked record in one line: age, key, code, place, and what waits behind it', () => {
  expect(line()).toBe(
    'broker 12  2 min  01a20fb8-c172-74ad-b8be-e0ba85b79c26  TypeError  mayfly.task.events.v1/3@5  2 wait behind',
  );
});

it.each([
  [{ passedOver: 4 }, '2 wait behind, 4 more on the dead-letter topic only'],
  [{ holds: false, waiting: 0 }, 'nothing waits for it'],
  [{ why: 'behind' as const }, 'waits'],
  [{ state: 'retry' as const }, 'ordered: retry'],
])('says what follows from it: %j', (more, end) => {
  expect(line(more)).toMatch(new RegExp(`${end}$`));
});

it('shows the value as JSON, and a record that is settled without its bytes', () => {
  expect(letterText('broker', letter())).toContain('{\n  "rows": 1\n}');
  const settled = letter({ content: null, state: 'dropped', settledAt: new Date(PARKED_MS) });
  expect(letterText('broker', settled)).toMatch(/its bytes are erased$/);
});

it.each([
  ['escape sequences in a key', { key: '\u001b[2J\u009b' }],
  ['a direction override in a code', { code: '\u202eerror' }],
  ['escape sequences in a header', { content: { headers: { '\u001bx': 'y\u0007\u001b]0;' }, value: null } }],
  ['escape sequences in JSON', { content: { headers: {}, value: Buffer.from('{"a":"\u009b2J"}') } }],
  ['bytes', { content: { headers: {}, value: Buffer.from([0x1b, 0x5b, 0x32, 0x4a]) } }],
  ['an operator with a line break', { orderedBy: 'a\nb', orderedAt: new Date(0), reason: '\u001b[31m' }],
])('prints nothing that a terminal would obey: %s', (_what, more) => {
  const text = `${letterText('broker', letter(more))}\n${line(more)}`;
  expect(text).not.toMatch(/[^\n\P{C}]/u);
  expect(text).not.toContain('a\nb');
});

it.each([
  ['a value of 200 kB', Buffer.alloc(200_000, 0x20)],
  ['JSON eight thousand times nested', Buffer.from('['.repeat(8_000) + ']'.repeat(8_000))],
])('has bounds for %s', (_what, value) => {
  const large = letter({ content: { headers: { a: 'x'.repeat(32_000) }, value } });
  expect(letterText('broker', large).length).toBeLessThan(30_000);
  expect(JSON.stringify(letterDocument('broker', large).value).length).toBeLessThan(30_000);
});

it.each([
  [-5, '0 s'],
  [59_999, '59 s'],
  [3_599_999, '59 min'],
  [47 * 3_600_000, '47 h'],
  [49 * 3_600_000, '2 d'],
])('an age of %i ms is %s', (ms, text) => expect(ageText(ms)).toBe(text));
