import { Courtesy } from './courtesy.js';

it('gives way until entries are half a minute late, and again once they are not', () => {
  let gives = false;
  const courtesy = new Courtesy({
    give: () => void (gives = true),
    takeBack: () => void (gives = false),
  });
  const givesAt = (lateMs: number) => (courtesy.note(lateMs), gives);
  expect([120, 29_999, 30_000, 5_001, 5_000, 29_999].map(givesAt)).toEqual([
    true,
    true,
    false,
    false,
    true,
    true,
  ]);
});
