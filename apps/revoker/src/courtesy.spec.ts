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
  new Courtesy(given).note([{ leases: 49, answers: true }], START_MS);
  expect(gives()).toBe(false);
});

it('gives way in a storm, until little is left of it', () => {
  const { given, gives } = way();
  const courtesy = new Courtesy(given);
  courtesy.note([{ leases: 50, answers: true }], START_MS);
  courtesy.note([{ leases: 21, answers: true }], START_MS + 10);
  expect(gives()).toBe(true);
  courtesy.note([{ leases: 20, answers: true }], START_MS + 20);
  expect(gives()).toBe(false);
  courtesy.note([{ leases: 49, answers: true }], START_MS + 30);
  expect(gives()).toBe(false);
});

it('does not give way for what a target that is away keeps in hand', () => {
  const { given, gives } = way();
  const courtesy = new Courtesy(given);
  courtesy.note(
    [
      { leases: 600, answers: false },
      { leases: 49, answers: true },
    ],
    START_MS,
  );
  expect(gives()).toBe(false);
  courtesy.note(
    [
      { leases: 600, answers: false },
      { leases: 50, answers: true },
    ],
    START_MS + 10,
  );
  expect(gives()).toBe(true);
});

it('gives way for half a minute at the most, and then for a tenth of the time', () => {
  const { given, gives } = way();
  const courtesy = new Courtesy(given);
  let givenMs = 0;
  for (let atMs = 0; atMs <= 330_000; atMs += 50) {
    courtesy.note([{ leases: 400, answers: true }], START_MS + atMs);
    if (gives()) givenMs += 50;
    if (atMs === 29_950) expect(givenMs).toBe(30_000);
  }
  expect(givenMs).toBeGreaterThan(30_000);
  expect(givenMs).toBeLessThan(62_000);
});
