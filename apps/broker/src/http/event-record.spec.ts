import { TASK_EVENTS } from '#events/topics.js';
import { eventRecord } from './event-record.js';

const value = Buffer.from('{}');
const recordOf = (...raw: string[]) => eventRecord(raw, value, 1_000);

it('is the record of the task topic that the event would be, as of its arrival', () => {
  const record = recordOf(
    'Ce-Id',
    'I',
    'ce-subject',
    'T',
    'Content-Type',
    'application/json',
    'mayfly-proof',
    'P',
  );

  expect(record).toEqual({
    topic: TASK_EVENTS,
    partition: -1,
    offset: 0n,
    appendedAtMs: 1_000,
    key: Buffer.from('T'),
    value,
    headers: {
      ce_id: Buffer.from('I'),
      ce_subject: Buffer.from('T'),
      'content-type': Buffer.from('application/json'),
      'mayfly-proof': Buffer.from('P'),
    },
  });
});

it('leaves out what is the transport’s, and the names of another transport', () => {
  const { headers } = recordOf(
    'host',
    'h',
    'ce_id',
    'I',
    'authorization',
    'a',
    'ce-',
    'x',
    'mayfly-store',
    '1',
    '__proto__',
    'p',
  );
  expect(headers).toEqual({});
});

it('keeps a header that is given twice, so that it is refused', () => {
  const { headers, key } = recordOf('ce-subject', 'A', 'CE-Subject', 'B', 'ce-subject', 'C');
  expect(headers['ce_subject']).toEqual(['A', 'B', 'C'].map((text) => Buffer.from(text)));
  expect(key).toBeNull();
});

it('takes each character of a header for the byte that it was', () => {
  const { headers } = recordOf('ce-source', Buffer.from('ü').toString('latin1'));
  expect(headers['ce_source']).toEqual(Buffer.from('ü'));
});
