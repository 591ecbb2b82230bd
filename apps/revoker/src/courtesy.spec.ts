import { Courtesy, type InHand } from './courtesy.js';

const NOW_MS = 1_000_000;
const shop = (cuts: number, lateMs = 0): InHand => ({ cuts, dueSinceMs: NOW_MS - lateMs, answers: true });
const away = (cuts: number, lateMs = 0): InHand => ({ ...shop(cuts, lateMs), answers: false });

/** @returns whether it gives way after each of these. */
function told(...notes: InHand[][]): boolean[] {
  let gives = false;
  const courtesy = new Courtesy({ give: () => void (gives = true), takeBack: () => void (gives = false) });
  return notes.map((targets) => {
    courtesy.note(targets, NOW_MS);
    return gives;
  });
}

it('is an equal of the others while little is in hand', () => {
  expect(told([shop(49)], [])).toEqual([false, false]);
});

it('gives way in a storm, until little is left of it', () => {
  expect(told([shop(50)], [shop(21)], [shop(20)], [shop(49)])).toEqual([true, true, false, false]);
  expect(told([shop(25), shop(25)])).toEqual([true]);
});

it('does not give way for what a target that is away keeps in hand', () => {
  expect(told([away(600), shop(49)], [away(600), shop(50)])).toEqual([false, true]);
});

it('is an equal of the others where cuts come half a minute late, until they are in time again', () => {
  const storm = [shop(400, 29_999)];

  expect(told(storm, [shop(400, 30_000)], [shop(400, 5_001)], [shop(400, 5_000)], storm)).toEqual([
    true,
    false,
    false,
    true,
    true,
  ]);
});

it('is late by the target that is served last, but not by one that is away', () => {
  expect(told([shop(50), shop(1, 30_000)], [shop(50), away(300, 90_000)])).toEqual([false, true]);
});

it('is not late for what an earlier storm left behind', () => {
  expect(told([shop(400, 30_000)], [shop(0, 30_000)], [shop(50)])).toEqual([false, false, true]);
});
