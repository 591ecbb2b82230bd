/**
 * Rule 8 over any history: whatever is asked for again, whichever answers are lost, however clocks and readers lag, no renewal makes a
 * lease live past its hard end or its task, gives it other rights, or brings back what was cut.
 */
import fc from 'fast-check';
import { ANALYST, CALL, call, NOW, ORCHESTRATOR, start, TASK } from '../test/fixture.js';
import { RenewingWorld } from '../test/renewing-world.js';
import type { Sent } from '../test/world.js';

const CALL_2 = CALL.replace(/c$/, 'd');
const TASK_LASTS_MS = 900_000;
const DEADLINE = NOW + TASK_LASTS_MS;
const started: Sent = {
  ceId: 'o1',
  by: ORCHESTRATOR,
  event: { type: 'task.started', data: start({ deadline: new Date(DEADLINE).toISOString() }) },
};
const calls: Sent[] = [
  { ceId: 'a1', by: ANALYST, event: { type: 'tool.called', data: call() } },
  { ceId: 'a2', by: ANALYST, event: { type: 'tool.called', data: call({ callId: CALL_2, ttlMs: 60_000 }) } },
];
const end: Sent = {
  ceId: 'o2',
  by: ORCHESTRATOR,
  event: { type: 'task.ended', data: { taskId: TASK, outcome: 'completed' } },
};

/** One step of somebody. What renewals need comes more often than the rest. */
const steps: ((world: RenewingWorld) => unknown)[] = [
  (w) => w.brokerReads(),
  (w) => w.agentRenews(0),
  (w) => w.agentRenews(0),
  (w) => w.extensionLands(),
  (w) => w.brokerSettlesRenewal(),
  (w) => (w.createLands(false), w.noteCreated()),
  (w) => w.brokerSettles(),
  (w) => w.agentRenews(0),
  (w) => w.agentRenews(0, 86_400_000),
  (w) => w.agentRenews(1, 70_000),
  (w) => w.extensionLands(),
  (w) => w.extensionLands(),
  (w) => w.brokerSettlesRenewal(),
  (w) => w.brokerSettlesRenewal(),
  (w) => w.revokerHears(),
  (w) => w.revokerHearsRenewal(),
  (w) => w.revokerReads(),
  (w) => w.revokerExpires(),
  (w) => w.revokerCuts(),
  (w) => w.brokerHears(),
  (w) => w.timePasses(20_000),
  (w) => w.timePasses(120_000),
  (w) => w.brokerSuspends(),
  (w) => w.brokerResumes(),
  (w) => w.catalogueChanges(),
];

/** Runs a schedule, and looks after each step. */
function run(
  topic: Sent[],
  schedule: readonly number[],
  look: (world: RenewingWorld) => void,
): RenewingWorld {
  const world = new RenewingWorld(topic);
  // Histories without a lease are all the same. Of the second call there may be one or not.
  for (let n = 0; n < 2; n += 1) world.brokerReads();
  world.createLands(false);
  world.noteCreated();
  world.brokerSettles();
  world.timePasses(10_000);
  for (const choice of schedule) {
    steps[choice % steps.length]?.(world);
    look(world);
  }
  return world;
}

const schedules = fc.array(fc.nat({ max: steps.length - 1 }), { minLength: 10, maxLength: 60 });

/** `expect` takes its time, and this is asked after every step of every history. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`it does not hold that ${what}`);
}

/** Nothing that is fenced, and nothing past hard end and deadline, could be used; and what is told is in bounds. */
function looking() {
  const ends = new Map<string, string>();
  let told = 0;
  return (world: RenewingWorld): void => {
    for (const leaseId of world.principals) {
      must(!world.fences.has(leaseId), 'what was cut stays cut');
      must((world.ends.get(leaseId) ?? 0) <= DEADLINE, 'the target lets nobody in after the deadline');
    }
    must(world.nowMs < DEADLINE || world.usable.length === 0, 'nothing is of use after the deadline');
    for (const { plan } of world.revoked.values()) {
      must(plan === null || plan.rights.join() === 'pol_orders_read', 'rights stay as they are');
      must(plan === null || plan.notAfter <= plan.hardEnd, 'no lease is known to live past its hard end');
    }
    for (; told < world.renewed.length; told += 1) {
      const { leaseId, generation, notAfter, previousNotAfter } = world.renewed[told]!.data;
      const lease = world.leases.get(leaseId);
      const { status, generation: present } = world.task;
      must(status === 'open' && present === generation, 'the task lives');
      must(lease?.state === 'issued' && !lease.cutHeard, 'the lease lives');
      must(lease?.lineage[0]?.generation === generation, 'the lease is of the present generation');
      must(previousNotAfter < notAfter, 'an end moves forward');
      must(
        (ends.get(leaseId) ?? previousNotAfter) === previousNotAfter,
        'each renewal goes on from the last',
      );
      must(Date.parse(notAfter) <= (lease?.hardEndMs ?? 0), 'no lease is renewed past its hard end');
      must(Date.parse(previousNotAfter) > world.nowMs + 5_000, 'the revoker has time to hear of it');
      must(world.lends.length === 1, 'the call would lend the same today');
      ends.set(leaseId, notAfter);
    }
  };
}

describe('any history with renewals', () => {
  it('has no lease past its hard end or its task, none with other rights, and none that was dead', () => {
    let renewals = 0;
    fc.assert(
      fc.property(schedules, (schedule) => {
        renewals += run([started, ...calls, end], schedule, looking()).renewed.length;
      }),
      { numRuns: 10_000 },
    );
    // A property of nothing would hold as well.
    expect(renewals).toBeGreaterThan(1_000);
  });

  it('ends with nothing at the target, once time is over', () => {
    fc.assert(
      fc.property(schedules, (schedule) => {
        const look = looking();
        const world = run([started, ...calls], schedule, look);
        while (world.extensionLands() || world.brokerSettlesRenewal()) look(world);
        world.settleAll();
        while (world.revokerHearsRenewal());
        world.timePasses(2 * TASK_LASTS_MS);
        world.revokerExpires();
        world.settleAll();
        look(world);

        expect([...world.principals]).toEqual([]);
        expect([...world.revoked.values()].filter(({ state }) => state === 'known')).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('the revoker ends a lease where the last renewal that it heard of says', () => {
    const world = run([started, ...calls], [], looking());
    while (world.revokerHears());
    world.timePasses(270_000);
    world.agentRenews(0);
    world.extensionLands();
    world.brokerSettlesRenewal();
    world.revokerHearsRenewal();
    world.timePasses(290_000);
    expect(world.revokerExpires()).toBe(false);
    world.timePasses(10_000);
    expect(world.revokerExpires()).toBe(true);
  });
});
