import { createRequire } from 'node:module';
import { expect, it, jest } from '@jest/globals';
import './client.js';
import { decodeRecord, type BatchContext, type DecodedRecord } from './decode-record.js';
import { encodeRecord, type Encoded, type RecordOfBatch } from './encode-record.js';

const require = createRequire(import.meta.url);
const RECORD = 'kafkajs/src/protocol/recordBatch/record/v0';

/** kafkajs as it is published, without our repairs. */
interface Published {
  encode: (record: RecordOfBatch) => Encoded;
  decode: (body: { buffer: Buffer }, batch: BatchContext) => DecodedRecord;
  Decoder: new (bytes: Buffer) => { buffer: Buffer; readVarIntBytes(): Buffer };
}
const published = await new Promise<Published>((resolve) =>
  jest.isolateModules(() =>
    resolve({
      encode: require(`${RECORD}/index.js`) as Published['encode'],
      decode: require(`${RECORD}/decoder.js`) as Published['decode'],
      Decoder: require('kafkajs/src/protocol/decoder.js') as Published['Decoder'],
    }),
  ),
);

const BATCH: BatchContext = { firstOffset: '1000', firstTimestamp: '1700000000000', magicByte: 2 };
const bodyOf = ({ buffer }: Encoded) =>
  new published.Decoder(new published.Decoder(buffer).readVarIntBytes());

const RECORDS: Record<string, RecordOfBatch> = {
  'with text of all sizes': {
    ...{ offsetDelta: 70, timestampDelta: 90, key: 'task-1', value: Buffer.from('{}') },
    headers: { ce_id: 'é€😀', long: 'x'.repeat(9_000), empty: '' },
  },
  'with raw bytes': {
    key: Buffer.of(0, 255),
    value: Buffer.alloc(70_000, 7),
    headers: { raw: Buffer.of(200) },
  },
  'with a header given twice': {
    value: Buffer.of(1),
    headers: { twice: ['a', Buffer.from('b')], once: 'c' },
  },
  'with nothing': { key: null, value: null },
  'with what is empty': { key: '', value: Buffer.of(), headers: { '': '' } },
};

it('is kafkajs of which we replace the records, and nothing else', () => {
  expect(require(`${RECORD}/index.js`)).toBe(encodeRecord);
  expect(require(`${RECORD}/decoder.js`)).toBe(decodeRecord);
  expect(published.encode).not.toBe(encodeRecord);
  expect(published.decode).not.toBe(decodeRecord);
});

it.each(Object.entries(RECORDS))('writes a record %s as kafkajs does', (_, record) => {
  expect(encodeRecord(record).buffer).toEqual(published.encode(record).buffer);
  expect(encodeRecord(record).size()).toBe(published.encode(record).size());
});

it.each(Object.entries(RECORDS))('reads a record %s as kafkajs does', (_, record) => {
  const bytes = encodeRecord(record);
  expect(decodeRecord(bodyOf(bytes), BATCH)).toEqual(published.decode(bodyOf(bytes), BATCH));
});

it('reads a header that is named like what an object inherits, which kafkajs mixes with it', () => {
  const headers = Object.fromEntries([
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ]);
  const bytes = encodeRecord({ value: null, headers });
  expect(bytes.buffer).toEqual(published.encode({ value: null, headers }).buffer);
  expect(Object.entries(decodeRecord(bodyOf(bytes), BATCH).headers)).toEqual([
    ['__proto__', Buffer.from('a')],
    ['constructor', Buffer.from('b')],
  ]);
});

it.each([0, 1, 63, 64, 8_191, 8_192, 2 ** 31 - 1, 2 ** 31, 2 ** 40, -1, -64, -65, -(2 ** 33)])(
  'keeps a time that is %d ms after the first of the batch',
  (timestampDelta) => {
    const bytes = encodeRecord({ timestampDelta, value: Buffer.of() });
    expect(decodeRecord(bodyOf(bytes), BATCH).timestamp).toBe(String(1_700_000_000_000 + timestampDelta));
    expect(published.decode(bodyOf(bytes), BATCH).timestamp).toBe(String(1_700_000_000_000 + timestampDelta));
  },
);

it('counts offsets to the last that Kafka has', () => {
  const bytes = encodeRecord({ offsetDelta: 7, value: null });
  const last = { ...BATCH, firstOffset: String(2n ** 63n - 8n) };
  expect(decodeRecord(bodyOf(bytes), last).offset).toBe(String(2n ** 63n - 1n));
});

it('takes the time of the log where Kafka sets it', () => {
  const batch = { ...BATCH, timestampType: 1, maxTimestamp: '1700000000555' };
  const bytes = encodeRecord({ timestampDelta: 3, value: null });
  expect(decodeRecord(bodyOf(bytes), batch).timestamp).toBe('1700000000555');
});

it('refuses a time that is no number of milliseconds', () => {
  expect(() => encodeRecord({ timestampDelta: Number.NaN })).toThrow(RangeError);
  expect(() => encodeRecord({ timestampDelta: 0.5 })).toThrow(RangeError);
});

it('refuses a record that ends anywhere but at its end', () => {
  const { buffer } = encodeRecord({ key: 'key', value: Buffer.from('value'), headers: { name: 'text' } });
  const body = buffer.subarray(1);
  for (let end = 0; end < body.length; end += 1)
    expect(() => decodeRecord({ buffer: body.subarray(0, end) }, BATCH)).toThrow(RangeError);
});

it.each([
  ['has no end', Buffer.alloc(400, 0xff)],
  [
    'comes to its end after three hundred bytes of nothing',
    Buffer.concat([Buffer.alloc(300, 0x80), Buffer.alloc(9)]),
  ],
])('refuses a number that %s', (_, numbers) => {
  const body = Buffer.concat([Buffer.of(0), numbers]);
  expect(() => decodeRecord({ buffer: body }, BATCH)).toThrow(new RangeError('not a number of a record'));
});

// From the description of the format: length 15, attributes 0, time +1, offset +2, a key of 1 byte, a value of 2, one header.
it('is the format of the documentation, byte by byte', () => {
  const record = {
    offsetDelta: 2,
    timestampDelta: 1,
    key: 'k',
    value: Buffer.from('vw'),
    headers: { h: 'xyz' },
  };
  expect(encodeRecord(record).buffer.toString('hex')).toBe('1e000204026b04767702' + '026806' + '78797a');
});
