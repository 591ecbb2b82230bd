import type { BusRecord } from '#bus/bus.js';
import { TASK_EVENTS } from '#events/topics.js';
import { deadLetter, rejectionEvent } from './records.js';

/** As the bus hands it over: the types do not know that a header may have no value. */
const record = (headers: Record<string, unknown>): BusRecord => ({
  topic: TASK_EVENTS,
  partition: 0,
  offset: 7n,
  appendedAtMs: 0,
  key: null,
  value: null,
  headers: headers as BusRecord['headers'],
});
const refusal = { code: 'ERR_HEADER_MISSING', reason: 'a header is missing' } as const;

it.each([
  ['once', { ce_id: null, ce_type: null, 'mayfly-svid': null, 'x-other': null }],
  ['twice', { ce_id: [null, null], 'mayfly-svid': [null, Buffer.from('a')], 'x-other': [null, null] }],
])('a refused record with headers that have no value, each given %s, is recorded and kept', (_, headers) => {
  const hostile = record(headers);

  expect(rejectionEvent(hostile, refusal, undefined, 0)).toMatchObject({
    data: { record: { offset: '7' }, code: 'ERR_HEADER_MISSING' },
  });
  expect(Object.keys(deadLetter(hostile, refusal, 0).extra ?? {})).toContain('dlq-header-x-other');
});

it('keeps no token in a dead letter, however its header is written', () => {
  const { extra } = deadLetter(record({ 'Mayfly-SVID': Buffer.from('e30.e30.c2ln') }), refusal, 0);

  expect(extra?.['dlq-header-Mayfly-SVID']).toMatch(/^sha256:[0-9a-f]{64}$/);
});
