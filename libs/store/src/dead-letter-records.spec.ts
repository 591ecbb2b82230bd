import type { BusRecord } from '#bus/bus.js';
import { shortType } from '#events/inbound.js';
import { CREDENTIAL_EVENTS, TASK_EVENTS } from '#events/topics.js';
import { parkedRecords } from './dead-letter-records.js';
import type { Letter } from './parking.js';

const TASK = '01a20fb8-c172-74ad-b8be-e0ba85b79c26';
const teller = { group: 'broker', atMs: 0 } as const;

const letter = (more: Partial<Letter> = {}, key: Buffer | null = Buffer.from(TASK)): Letter => ({
  record: {
    topic: TASK_EVENTS,
    partition: 3,
    offset: 5n,
    appendedAtMs: 0,
    key,
    value: Buffer.from([0x7b, 0x00]),
    headers: {
      'Mayfly-SVID': Buffer.from('a.secret.token'),
      'x-\0': null,
    } as unknown as BusRecord['headers'],
  },
  why: 'bug',
  code: 'TypeError',
  detail: 'TypeError',
  holds: true,
  ...more,
});
const told = (parked: Letter, id: bigint | null) =>
  parkedRecords([{ letter: parked, id }], teller).map(({ topic, key, head, value, extra }) => ({
    topic,
    key,
    type: shortType(head.type),
    value,
    extra,
  }));

it('tells what is parked, and copies it as it came, with its token as a digest', () => {
  const [event, copy, ...more] = told(letter(), 12n);

  expect(more).toEqual([]);
  expect(event).toMatchObject({ topic: CREDENTIAL_EVENTS, key: TASK, type: 'dead_letter.parked' });
  expect(JSON.parse(String(event?.value))).toMatchObject({
    taskId: TASK,
    letterId: '12',
    group: 'broker',
    code: 'TypeError',
    holds: true,
    attempts: 1,
    record: { topic: TASK_EVENTS, partition: 3, offset: '5' },
  });
  expect(copy).toMatchObject({
    topic: 'broker.mayfly.task.events.v1.dlq',
    key: TASK,
    value: Buffer.from([0x7b, 0x00]),
    extra: { 'dlq-code': 'TypeError', 'dlq-offset': '5', 'dlq-header-x-\uFFFD': '' },
  });
  expect(copy?.extra?.['dlq-header-Mayfly-SVID']).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(JSON.stringify([event, copy])).not.toContain('a.secret.token');
});

it.each<[string, Letter]>([
  ["a stranger's record", letter({ holds: false })],
  ['a key that is no task', letter({}, Buffer.from('x'))],
  ['no key', letter({}, null)],
])('names no task for %s', (_what, parked) => {
  const [event] = told(parked, 12n);
  expect(event?.key).toBe('unknown');
});

it('only copies what is beyond the limit', () => {
  expect(told(letter({ why: 'behind' }), null).map(({ type }) => type)).toEqual(['dead_letter']);
});
