import { HEAD_REQUIRED, HEADERS, readHeaders, type RawHeaders } from './envelope.js';

const complete: RawHeaders = Object.fromEntries(HEAD_REQUIRED.map((name) => [name, Buffer.from('x')]));
const codeOf = (headers: RawHeaders) => {
  const read = readHeaders({ ...complete, ...headers }, HEAD_REQUIRED, [HEADERS.traceparent]);
  return read.ok ? 'read' : read.refusal.code;
};

// Any client of Kafka can write such headers; an exception here would stop every service at this record for ever.
describe('headers without a value', () => {
  it.each<{ what: string; headers: RawHeaders; expected: string }>([
    { what: 'a required one', headers: { ce_id: null }, expected: 'ERR_HEADER_MISSING' },
    { what: 'an optional one', headers: { traceparent: null }, expected: 'read' },
    { what: 'one that is not ours', headers: { 'x-other': null }, expected: 'read' },
    { what: 'one that is not ours, given twice', headers: { 'x-other': [null, null] }, expected: 'read' },
    {
      what: 'a required one, given twice',
      headers: { ce_id: [null, Buffer.from('x')] },
      expected: 'ERR_HEADER_DOUBLED',
    },
  ])('are no exception: $what', ({ headers, expected }) => {
    expect(codeOf(headers)).toBe(expected);
  });
});
