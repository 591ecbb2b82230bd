import { InputSamples } from './input-samples.js';

const ends = (next: bigint, oldest = 0n) => [{ topic: 'tasks', partition: 0, oldest, next }];
const readTo = (next: number) => ({ tasks: { '0': String(next) } });

it('says nothing before a look', () => {
  expect(new InputSamples().readUntilMs(readTo(99))).toBe(-Infinity);
});

it('finds the last look of which everything has been read', () => {
  const samples = new InputSamples();
  samples.note(ends(10n), 1_000);
  samples.note(ends(20n), 2_000);
  expect(samples.readUntilMs(readTo(9))).toBe(-Infinity);
  expect(samples.readUntilMs(readTo(10))).toBe(1_000);
  expect(samples.readUntilMs(readTo(15))).toBe(1_000);
  expect(samples.readUntilMs(readTo(21))).toBe(2_000);
});

it('waits for every partition, also for one that the revoker does not name', () => {
  const samples = new InputSamples();
  samples.note([...ends(10n), { topic: 'tasks', partition: 1, oldest: 0n, next: 1n }], 1_000);
  expect(samples.readUntilMs(readTo(10))).toBe(-Infinity);
  expect(samples.readUntilMs({ tasks: { '0': '10', '1': '1' } })).toBe(1_000);
});

it('waits for nothing that the log no longer has', () => {
  const samples = new InputSamples();
  samples.note(ends(10n, 10n), 1_000);
  expect(samples.readUntilMs({})).toBe(1_000);
});

it('keeps the oldest looks of a revoker that reads nothing, and sees it come back', () => {
  const samples = new InputSamples();
  for (let i = 1; i <= 200; i += 1) samples.note(ends(BigInt(i)), i * 1_000);
  expect(samples.readUntilMs(readTo(1))).toBe(1_000);
  expect(samples.readUntilMs(readTo(200))).toBe(64_000);
  samples.note(ends(201n), 201_000);
  expect(samples.readUntilMs(readTo(300))).toBe(201_000);
});
