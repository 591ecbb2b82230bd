/**
 * The promise of the lease protocol over any history: whatever is repeated, however senders' events are mixed (each
 * sender's order kept), however the processes run, and whichever answers are lost, the end is the same, a call has at most
 * one credential, and none outlives its task.
 */
import fc from 'fast-check';
import { ANALYST, CALL, call, OPERATOR, ORCHESTRATOR, start, STRANGER, TASK } from '../test/fixture.js';
import { World, type Sent } from '../test/world.js';
import type { Lineage } from './outbound.js';

const CALL_2 = CALL.replace(/c$/, 'd');
const ended = { type: 'task.ended' as const, data: { taskId: TASK, outcome: 'completed' as const } };

/** One list for each sender, in that sender's order. */
const HISTORY: Sent[][] = [
  [
    { ceId: 'o1', by: ORCHESTRATOR, event: { type: 'task.started', data: start() } },
    { ceId: 'o2', by: ORCHESTRATOR, event: ended },
  ],
  [
    { ceId: 'a1', by: ANALYST, event: { type: 'tool.called', data: call() } },
    { ceId: 'a2', by: ANALYST, event: { type: 'tool.called', data: call() } },
    { ceId: 'a3', by: ANALYST, event: { type: 'tool.called', data: call({ callId: CALL_2 }) } },
    // An agent may not end this task, and a stranger may not do anything.
    { ceId: 'a4', by: ANALYST, event: ended },
  ],
  [
    { ceId: 's1', by: STRANGER, event: ended },
    { ceId: 's2', by: STRANGER, event: { type: 'tool.called', data: call() } },
  ],
];

/** Mixes the senders' lists by a list of choices, and says some things again right away or later. */
function mix(senders: readonly Sent[][], choices: readonly number[], repeats: readonly number[]): Sent[] {
  const left = senders.map((list) => [...list]);
  const topic: Sent[] = [];
  for (let n = 0; left.some((list) => list.length > 0); n += 1) {
    const open = left.filter((list) => list.length > 0);
    const next = open[(choices[n % choices.length] ?? 0) % open.length]?.shift();
    if (next !== undefined) topic.push(next);
    const again = repeats[n % repeats.length] ?? 0;
    const earlier = topic[again];
    if (earlier !== undefined && again % 3 !== 0) topic.push(earlier);
  }
  return topic;
}

const noSuspensions: ((world: World) => boolean)[] = [];
const suspensions = [
  (world: World) => world.brokerSuspends(),
  (world: World) => world.brokerResumes(),
  (world: World) => world.brokerAmends(),
];

/** Runs the processes in a given order, losing some answers, and then lets everything come to rest. */
function run(world: World, schedule: readonly number[], more = noSuspensions): World {
  for (const choice of schedule) {
    const steps = [
      ...more.map((step) => () => step(world)),
      () => world.brokerReads(),
      () => world.createLands(false),
      () => world.createLands(true),
      () => world.brokerSettles(),
      () => world.brokerHears(),
      () => world.revokerReads(),
      () => world.revokerHears(),
      () => world.revokerCuts(),
    ];
    steps[choice % steps.length]?.();
  }
  world.settleAll();
  return world;
}

const numbers = (max: number, minLength = 1) => fc.array(fc.nat({ max }), { minLength, maxLength: 60 });

const eachCallHasAtMostOneCredential = (world: World) => {
  for (const { leaseIds } of world.calls.values()) {
    const kept = leaseIds.filter((id) => world.leases.get(id)?.state !== 'abandoned');
    expect(kept.length).toBeLessThanOrEqual(1);
  }
};

/** Rule 3: what the broker said of a suspension or an amendment is true for every outcome that it says later. */
const nothingIsIssuedUnderAnOldDecision = ({ told }: World) => {
  let generation = 0;
  for (const { type, data } of told) {
    if (type === 'task.suspended' || type === 'task.amended') generation = data.generation;
    if (type === 'lease.issued') expect(data.generation).toBeGreaterThanOrEqual(generation);
  }
};

describe('any history, however repeated and mixed', () => {
  it('ends the same: the task is over, and nothing at the target is left', () => {
    fc.assert(
      fc.property(numbers(2), numbers(9), numbers(7, 0), (choices, repeats, schedule) => {
        const world = run(new World(mix(HISTORY, choices, repeats)), schedule);

        expect(world.task).toMatchObject({ status: 'ended', outcome: 'completed' });
        expect([...world.principals]).toEqual([]);
        expect([...world.leases.values()].filter((lease) => lease.state === 'intended')).toEqual([]);
        expect([...world.revoked.values()].filter((lease) => lease.state !== 'cut')).toEqual([]);
        expect(world.revoked.size).toBe(world.leases.size);
        expect(world.alarms).toEqual([]);
        eachCallHasAtMostOneCredential(world);
      }),
      { numRuns: 2_000 },
    );
  });

  it('without an end leaves each permitted call exactly one usable credential, and no other principal', () => {
    const open = [HISTORY[0]?.slice(0, 1) ?? [], HISTORY[1]?.slice(0, 3) ?? [], HISTORY[2] ?? []];
    fc.assert(
      fc.property(numbers(2), numbers(9), numbers(7, 0), (choices, repeats, schedule) => {
        const world = run(new World(mix(open, choices, repeats)), schedule);

        expect(world.task.status).toBe('open');
        const issued = [...world.leases.values()].filter((lease) => lease.state === 'issued');
        expect([...world.principals].sort()).toEqual(issued.map((lease) => lease.leaseId).sort());
        eachCallHasAtMostOneCredential(world);
      }),
      { numRuns: 2_000 },
    );
  });

  it('may be ended by an operator too, at any moment', () => {
    const senders = [...HISTORY, [{ ceId: 'p1', by: OPERATOR, event: ended }]];
    fc.assert(
      fc.property(numbers(3), numbers(9), numbers(7, 0), (choices, repeats, schedule) => {
        const world = run(new World(mix(senders, choices, repeats)), schedule);

        expect(world.task.status).toBe('ended');
        expect([...world.principals]).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  describe('with suspensions, resumptions and amendments in between', () => {
    const open = [HISTORY[0]?.slice(0, 1) ?? [], HISTORY[1]?.slice(0, 3) ?? [], HISTORY[2] ?? []];
    const generationOf = (lease: { lineage: Lineage }) => lease.lineage[0]?.generation ?? 0;

    it('leaves usable what was issued in the present generation, and nothing of those before', () => {
      fc.assert(
        fc.property(numbers(2), numbers(9), numbers(10, 10), (choices, repeats, schedule) => {
          const world = run(new World(mix(open, choices, repeats)), schedule, suspensions);

          const { status, generation } = world.task;
          const issued = [...world.leases.values()].filter((lease) => lease.state === 'issued');
          const present = issued.filter((lease) => generationOf(lease) === generation);
          expect([...world.principals].sort()).toEqual(present.map((lease) => lease.leaseId).sort());
          if (status === 'suspended') expect([...world.principals]).toEqual([]);
          for (const lease of world.revoked.values())
            expect(lease.state === 'known').toBe(world.principals.has(lease.leaseId));
          expect(world.alarms).toEqual([]);
          nothingIsIssuedUnderAnOldDecision(world);
          eachCallHasAtMostOneCredential(world);
        }),
        { numRuns: 2_000 },
      );
    });

    it('ends the same all the same', () => {
      fc.assert(
        fc.property(numbers(2), numbers(9), numbers(10, 10), (choices, repeats, schedule) => {
          const world = run(new World(mix(HISTORY, choices, repeats)), schedule, suspensions);

          expect(world.task).toMatchObject({ status: 'ended', outcome: 'completed' });
          expect([...world.principals]).toEqual([]);
          expect([...world.revoked.values()].filter((lease) => lease.state !== 'cut')).toEqual([]);
          expect(world.revoked.size).toBe(world.leases.size);
          expect(world.alarms).toEqual([]);
        }),
        { numRuns: 1_000 },
      );
    });
  });
});
