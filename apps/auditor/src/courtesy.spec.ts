import { Courtesy } from './courtesy.js';

function courteous(share = 0.5) {
  let gives = false;
  const way = { give: () => void (gives = true), takeBack: () => void (gives = false) };
  const courtesy = new Courtesy(way, { share: () => share });
  return { courtesy, givesAt: (lateMs: number) => (courtesy.note(lateMs), gives) };
}

it('gives way until entries are half a minute late, and again once they are no longer', () => {
  const { givesAt } = courteous();

  expect(givesAt(100)).toBe(true);
  expect(givesAt(29_999)).toBe(true);
  expect(givesAt(30_000)).toBe(false);
  expect(givesAt(5_001)).toBe(false);
  expect(givesAt(5_000)).toBe(true);
});

it('rests where the machine is full, for nine times what its work took but no longer than a second', () => {
  expect(courteous().courtesy.restMs(100)).toBe(0);
  expect(courteous(0.51).courtesy.restMs(100)).toBe(900);
  expect(courteous(0.51).courtesy.restMs(150)).toBe(1_000);
});

it('does not rest while its entries are late', () => {
  const { courtesy, givesAt } = courteous(0.51);

  givesAt(30_000);
  expect(courtesy.restMs(100)).toBe(0);
  givesAt(5_000);
  expect(courtesy.restMs(100)).toBe(900);
});
