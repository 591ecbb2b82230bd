import { retentionOf, retentionSchema } from './retention.js';

it('keeps what the protocol and the topics ask for where nothing is given', () => {
  expect(retentionOf(retentionSchema.parse({}))).toEqual({
    inboxMs: 1_296_000_000,
    endedMs: 86_400_000,
    streamMs: 2_592_000_000,
    decisionInputMs: 34_560_000_000,
  });
});

it('does not forget a record that a topic still holds, nor a fence before its time', () => {
  const messages = (given: object) =>
    retentionSchema.safeParse(given).error?.issues.map((issue) => issue.message);

  expect(messages({ inboxDays: 7 })).toEqual(['must be at least 8']);
  expect(messages({ endedTaskHours: 23 })).toEqual(['must be at least 24']);
  expect(messages({ streamDays: 1.5 })).toHaveLength(1);
  expect(messages({ streamDays: 0, decisionInputDays: 40_000 })).toEqual([
    'must be at least 1',
    'must be at most 36500',
  ]);
});
