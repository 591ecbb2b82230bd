import { FAULT_POINTS } from '#telemetry/fault-point.js';
import { ASKED_FOR, KINDS, matrix, nameOf, SERVICES, shortSet, shuffled, type Accident } from './plan.mjs';

function first(count: number, of: { suite?: string; kind?: string; seed: number }): Accident[] {
  const sequence = shuffled({ suite: 'all', kind: 'all', ...of });
  return Array.from({ length: count }, () => sequence.next().value as Accident);
}
const bare = ({ kind, service, at, how }: Accident) => JSON.stringify({ kind, service, at, how });
const kindsOf = (accidents: readonly Accident[]) => [...new Set(accidents.map(({ kind }) => kind))].sort();

it('is the same for the same seed, and another for another', () => {
  expect(first(80, { seed: 7 })).toEqual(first(80, { seed: 7 }));
  expect(first(80, { seed: 7 })).not.toEqual(first(80, { seed: 8 }));
});

it('mixes everything once before anything comes again', () => {
  const all = matrix();
  const [once, again] = [first(all.length, { seed: 3 }), first(2 * all.length, { seed: 3 })];
  expect(once.map(bare).sort()).toEqual(all.map(bare).sort());
  expect(again.map(bare).sort()).toEqual([...all, ...all].map(bare).sort());
});

it('lets each service die at each point that it passes', () => {
  const deaths = matrix({ kind: 'death' });
  expect(new Set(deaths.map(({ point }) => point))).toEqual(new Set(FAULT_POINTS));
  expect(deaths.filter(({ point }) => point === 'batch.before_commit').map(({ service }) => service)).toEqual(
    SERVICES,
  );
});

it('gives every accident its moment', () => {
  for (const accident of first(500, { seed: 11 })) {
    if (
      accident.point !== undefined ||
      (accident.kind.endsWith('_network') && accident.service !== undefined)
    )
      expect(accident.nth).toBeGreaterThanOrEqual(1);
    if (accident.kind === 'second_death') expect(FAULT_POINTS).toContain(accident.again);
    expect(nameOf(accident)).toMatch(/^[a-z_]+( [a-z_.:,0-9]+)*/);
  }
});

it('keeps to one service, and to one kind', () => {
  expect(new Set(first(60, { suite: 'auditor', seed: 1 }).map(({ service }) => service))).toEqual(
    new Set(['auditor']),
  );
  expect(kindsOf(first(20, { kind: 'freeze', seed: 1 }))).toEqual(['freeze']);
  expect([...shuffled({ suite: 'auditor', kind: 'bus_restart', seed: 1 })]).toEqual([]);
});

it('lets happen what targets have to stand, and the death of those who talk to them', () => {
  const accidents = matrix({ suite: 'providers' });
  expect(new Set(accidents.map(({ service }) => service))).toEqual(new Set(['broker', 'revoker', undefined]));
  expect(kindsOf(accidents)).toEqual([
    ...['cache_away', 'cache_restart', 'death', 'second_death'],
    ...['target_away', 'target_network', 'target_restart', 'target_slow'],
  ]);
  expect(accidents.filter(({ kind }) => kind === 'death')).toHaveLength(
    matrix({ kind: 'death' }).filter(({ service }) => service !== 'auditor').length,
  );
});

it('leaves out of the mix what must be asked for', () => {
  const leftOut = ASKED_FOR.filter((kind) => !KINDS.includes(kind));
  expect(leftOut).toEqual(['sabotage', 'store_silence', 'cache_away', 'cache_restart']);
  expect(kindsOf(matrix())).toEqual([...KINDS].sort());
  expect(matrix({ kind: 'store_silence' }).map(({ service }) => service)).toEqual(SERVICES);
});

describe('the short set', () => {
  const set = shortSet();

  it('passes every point once', () => {
    const points = set.flat().filter(({ kind }) => kind === 'death');
    expect(points.map(({ point }) => point).sort()).toEqual([...FAULT_POINTS].sort());
  });

  it('has every kind that the target alone does not explain', () => {
    const left = KINDS.filter((kind) => !set.flat().some((accident) => accident.kind === kind));
    expect(left).toEqual(['target_away', 'target_slow', 'target_restart', 'bus_network']);
  });

  it('never lets one service have two accidents in a round', () => {
    for (const round of set) {
      const services = round.flatMap(({ kind, service }) =>
        service === undefined ? [] : `${kind} ${service}`,
      );
      expect(new Set(services).size).toBe(services.length);
    }
  });
});
