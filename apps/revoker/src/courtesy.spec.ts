import { Courtesy } from './courtesy.js';

const START_MS = 1_000_000;

function way() {
  let gives = false;
  const given = {
    give: () => void (gives = true),
    takeBack: () => void (gives = false),
  };
  return { given, gives: () => gives };
}

it('is an equal of the others while little is in hand', () => {
  const { given, gives } = way();
  new Courtesy(given).note(49, START_MS);
  expect(gives()).toBe(false);
});

it('gives way in a storm, until little is left of it', () => {
  const { given, gives } = way();
  const courtesy = new Courtesy(given);
  courtesy.note(50, START_MS);
  courtesy.note(21, START_MS + 10);
  expect(gives()).toBe(true);
  courtesy.note(20, START_MS + 20);
  expect(gives()).toBe(false);
  courtesy.note(49, START_MS + 30);
  expect(gives()).toBe(false);
});

it('gives way for half a minute at the most, and then for a tenth of the time', () => {
  const { given, gives } = way();
  const courtesy = new Courtesy(given);
  let givenMs = 0;
  for (let atMs = 0; atMs <= 330_000; atMs += 50) {
    courtesy.note(400, START_MS + atMs);
    if (gives()) givenMs += 50;
    if (atMs === 29_950) expect(givenMs).toBe(30_000);
  }
  expect(givenMs).toBeGreaterThan(30_000);
  expect(givenMs).toBeLessThan(62_000);
});
