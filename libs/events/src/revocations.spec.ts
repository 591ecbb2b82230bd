import { createHash } from 'node:crypto';
import { digestOfRecord, readRevocation, revocationKey, saysMore, setDigestOf } from './revocations.js';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

const ended = {
  seq: 7,
  what: 'task',
  id: 'T1',
  generationBelow: null,
  notAfter: '2026-11-24T12:02:00.000Z',
  reason: 'task_ended',
};
const beat = {
  seq: 8,
  at: '2026-11-24T12:00:00.000Z',
  inputsReadUpTo: { 'mayfly.task.events.v1': { '0': '17', '11': '0' } },
  live: 1,
  setDigest: 'ab'.repeat(32),
};

it('reads a revocation under its own key, with members that it does not know', () => {
  expect(readRevocation('task:T1', bytes({ ...ended, since: 'a later version' }))).toEqual({
    ok: true,
    type: 'revocation',
    revocation: ended,
  });
});

it('reads a heartbeat', () => {
  expect(readRevocation('heartbeat', bytes(beat))).toEqual({ ok: true, type: 'heartbeat', heartbeat: beat });
});

it.each([
  ['task:T2', bytes(ended), 'the revocation stands under another key'],
  ['heartbeat', bytes(ended), 'the value is no heartbeat'],
  ['task:T1', bytes(beat), 'the value is no revocation'],
  ['task:T1', bytes({ ...ended, seq: -1 }), 'the value is no revocation'],
  ['task:T1', bytes({ ...ended, generationBelow: 0 }), 'the value is no revocation'],
  ['task:T1', bytes({ ...ended, notAfter: 'tomorrow' }), 'the value is no revocation'],
  ['team:T1', bytes({ ...ended, what: 'team' }), 'the value is no revocation'],
  ['heartbeat', bytes({ ...beat, setDigest: 'AB'.repeat(32) }), 'the value is no heartbeat'],
  ['heartbeat', bytes({ ...beat, inputsReadUpTo: { t: { '0': '-1' } } }), 'the value is no heartbeat'],
  ['task:T1', Buffer.from('{'), 'the value is no JSON'],
  ['task:T1', Buffer.from([0xff, 0xfe]), 'the value is no JSON'],
  ['task:T1', Buffer.alloc(65_537, ' '), 'the value is too large'],
])('refuses %s %s', (key, value, reason) => {
  expect(readRevocation(key, value)).toEqual({ ok: false, reason });
});

it('takes null for the highest generation', () => {
  expect(saysMore({ generationBelow: 3 }, { generationBelow: 2 })).toBe(true);
  expect(saysMore({ generationBelow: null }, { generationBelow: 9 })).toBe(true);
  expect(saysMore({ generationBelow: 2 }, { generationBelow: 2 })).toBe(false);
  expect(saysMore({ generationBelow: 9 }, { generationBelow: null })).toBe(false);
});

it('names records by what they are about', () => {
  expect(revocationKey({ what: 'agent', id: 'spiffe://corp.example/agent/a' })).toBe(
    'agent:spiffe://corp.example/agent/a',
  );
});

it('sums up records whatever their order, and nothing to nothing', () => {
  // Computed with: printf 'task:T1\0{}' | sha256sum
  const one = 'daaeca03f5e942edf72a63aaa948df4a53db3aca98daff11770f6cddd53e0d3a';
  const a = ['task:T1', bytes(ended)] as const;
  const b = ['lease:L1', bytes({})] as const;
  expect(setDigestOf(sha256, [a, b])).toBe(setDigestOf(sha256, [b, a]));
  expect(setDigestOf(sha256, [a, a])).toBe('0'.repeat(64));
  expect(setDigestOf(sha256, [])).toBe('0'.repeat(64));
  expect(Buffer.from(digestOfRecord(sha256, 'task:T1', Buffer.from('{}'))).toString('hex')).toBe(one);
});
