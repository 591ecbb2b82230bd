import { CreateBreakers } from './create-breakers.js';

const NOW_MS = 1_000_000;

function breakers() {
  const told: string[] = [];
  const tell = (what: string) => (target: string, open: number) =>
    told.push(`${what} ${target}, ${open} open`);
  return { breakers: new CreateBreakers({ opened: tell('opened'), closed: tell('closed') }), told };
}

function silent(count: number, target = 'shop') {
  const made = breakers();
  for (let n = 0; n < count; n++) made.breakers.note(target, 'none', NOW_MS);
  return made;
}

it('stays closed while a target is silent now and then', () => {
  const { breakers: some, told } = silent(5);
  some.note('shop', 'created', NOW_MS);
  some.note('shop', 'none', NOW_MS);
  expect(some.refusal('shop', NOW_MS)).toBeNull();
  expect(told).toEqual([]);
});

it('opens after six creates in a row without an answer, for this target alone, and says so once', () => {
  const { breakers: some, told } = silent(7);
  expect(some.refusal('shop', NOW_MS)).toEqual({
    code: 'ERR_TARGET_UNAVAILABLE',
    reason: 'the target has not answered lately: nothing is created there for now',
  });
  expect(some.refusal('warehouse', NOW_MS)).toBeNull();
  expect(told).toEqual(['opened shop, 1 open']);
});

it('lets one call find out each five seconds, and no other beside it', () => {
  const { breakers: some } = silent(6);
  expect(some.refusal('shop', NOW_MS + 4_999)).not.toBeNull();
  expect(some.refusal('shop', NOW_MS + 5_000)).toBeNull();
  expect(some.refusal('shop', NOW_MS + 5_001)).not.toBeNull();
  some.note('shop', 'none', NOW_MS + 6_000);
  expect(some.refusal('shop', NOW_MS + 10_999)).not.toBeNull();
  expect(some.refusal('shop', NOW_MS + 11_000)).toBeNull();
});

it.each(['created', 'refused'] as const)('closes when the target answers: %s', (answer) => {
  const { breakers: some, told } = silent(6);
  some.note('shop', answer, NOW_MS);
  expect(some.refusal('shop', NOW_MS)).toBeNull();
  expect(told).toEqual(['opened shop, 1 open', 'closed shop, 0 open']);
});

it('does not hold against a target what was never sent to it', () => {
  const { breakers: some } = breakers();
  for (let n = 0; n < 10; n++) some.note('shop', 'unsent', NOW_MS);
  expect(some.refusal('shop', NOW_MS)).toBeNull();
});
