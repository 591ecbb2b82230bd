/**
 * Walls over any history of a family of tasks: whoever says what with whichever key, however tasks are amended, suspended, resumed and
 * ended, however policy changes and people take back their word, and however late and often the revoker hears of it, no lease
 * lives outside declaration ∩ policy ∩ task life, and none under a suspended or ended ancestor. What may live is counted apart
 * from the code, by `test/bounds/oracle.ts`.
 */
import fc from 'fast-check';
import { AGENTS, ALL_RIGHTS, PARENTS, PEOPLE, RIGHTS, TASKS, triplesOf } from '../test/bounds/family.js';
import { must } from '../test/bounds/oracle.js';
import { FamilyWorld } from '../test/bounds/world.js';
import {
  ANALYST,
  call,
  NOW,
  OPERATOR,
  ORCHESTRATOR,
  PLANNER,
  sender,
  start,
  STRANGER,
} from '../test/fixture.js';
import { SUSPENSION_CAUSES } from './causes.js';
import type { InboundEvent } from './inbound.js';

/** Printed, with the path to the least history that fails, where one does. */
const SEED = 6;
const RUNS = 10_000;

/** Choices of one step, each a digit; all noughts are the plainest case. */
type Act = (world: FamilyWorld, ...choices: number[]) => unknown;
interface Kind {
  name: string;
  /** How often it comes, beside the others. */
  weight: number;
  /** How many cases each choice has. */
  of: number[];
  act: Act;
}
const kind = (name: string, weight: number, of: number[], act: Act): Kind => ({ name, weight, of, act });

const at = <T>(list: readonly T[], n: number): T => list[n % list.length]!;
const iso = (ms: number) => new Date(ms).toISOString();
/** Everybody has two keys: the one they began with, and another. */
const voice = (who: string, key: number) => sender(who, 'said', `key ${key} of ${who}`);
const says = (world: FamilyWorld, who: string, key: number, event: InboundEvent) =>
  world.hears({ event, by: voice(who, key) });

/** @param only 0: all agents of the task may use all of it; else only one of them */
const declared = (mask: number, only: number) =>
  triplesOf(mask).map((triple) => (only === 0 ? triple : { ...triple, agents: [at(AGENTS, only)] }));

const STARTERS = [ORCHESTRATOR, PLANNER, ANALYST, STRANGER];
function starts(
  world: FamilyWorld,
  ...[n = 0, who = 0, used = 0, passedOn = 0, only = 0, lasts = 0]: number[]
) {
  const parent = PARENTS[n];
  const data = start({
    taskId: at(TASKS, n),
    agents: AGENTS.map((id) => ({ id })),
    declared: declared(ALL_RIGHTS - used, only),
    delegable: triplesOf(ALL_RIGHTS - passedOn),
    deadline: iso(NOW + at([1_800_000, 600_000, 3_600_000], lasts)),
    ...(parent === undefined ? {} : { parent: { taskId: parent } }),
  });
  says(world, at(STARTERS, who), 0, { type: 'task.started', data });
}

/** The root and its child come first: what has ancestors, and what has none. */
const anyTask = (n: number) =>
  at(
    [0, 1, 0, 1, 2, 3].map((each) => TASKS[each]!),
    n,
  );
const CALLERS = [ANALYST, ANALYST, ANALYST, PLANNER, PLANNER, STRANGER];
/** Who may approve speaks most. */
const VOICES = [PEOPLE[0], PEOPLE[0], ...PEOPLE.slice(1)];
const callId = (n: number) => `01930000-0000-7000-8000-0000000000${String(n).padStart(2, '0')}`;

const KINDS: Kind[] = [
  kind('starts', 4, [4, 4, 7, 7, 3, 3], starts),
  kind('calls', 14, [6, 6, 8, 3, 3, 3], (world, n = 0, who = 0, key = 0, right = 0, ttl = 0, some = 0) => {
    // Some have the id of one before.
    const id = some === 0 ? 0 : world.said.length;
    const data = call({ taskId: anyTask(n), callId: callId(id), ...at(RIGHTS, right) });
    const ttlMs = at([undefined, 20_000, 400_000], ttl);
    const asked = ttlMs === undefined ? data : { ...data, ttlMs };
    says(world, at(CALLERS, who), key === 7 ? 1 : 0, { type: 'tool.called', data: asked });
  }),
  kind('lands', 8, [5], (world, lost = 0) => world.createLands(lost === 4)),
  kind('lands and settles', 12, [], (world) => world.createLands(false) && world.settles(0)),
  kind('settles', 4, [3], (world, which = 0) => world.settles(which)),
  kind('amends', 4, [4, 3, 8, 3, 4], (world, n = 0, who = 0, mask = 0, only = 0, lasts = 0) => {
    const deadlineMs = at([undefined, NOW + 300_000, NOW + 900_000, NOW + 3_600_000], lasts);
    says(world, at([ORCHESTRATOR, PLANNER, ANALYST], who), 0, {
      type: 'task.amended',
      data: {
        taskId: at(TASKS, n),
        ...(mask === ALL_RIGHTS ? {} : { declared: declared(ALL_RIGHTS - mask, only) }),
        ...(deadlineMs === undefined ? {} : { deadline: iso(deadlineMs) }),
      },
    });
  }),
  kind('re-keys', 2, [4, 2, 2], (world, n = 0, who = 0, agent = 0) =>
    says(world, at([ORCHESTRATOR, PLANNER], who), 0, {
      type: 'task.amended',
      data: { taskId: at(TASKS, n), rekey: at(AGENTS, agent) },
    }),
  ),
  kind('suspends', 3, [4, 4], (world, n = 0, why = 0) =>
    world.suspends(at(TASKS, n), at(SUSPENSION_CAUSES, why)),
  ),
  kind('resumes', 3, [4, 4], (world, n = 0, why = 0) =>
    world.resumes(at(TASKS, n), at(SUSPENSION_CAUSES, why)),
  ),
  kind('ends', 2, [4, 5], (world, n = 0, who = 0) =>
    says(world, at([ORCHESTRATOR, OPERATOR, PLANNER, ANALYST, STRANGER], who), 0, {
      type: 'task.ended',
      data: { taskId: at(TASKS, n), outcome: 'completed' },
    }),
  ),
  kind('closes the books', 2, [], (world) => world.closesBooks()),
  kind('policy', 2, [27], (world, choice = 0) => world.policyChanges(choice)),
  kind('grants', 8, [3, 4], (world, which = 0, who = 0) => {
    const approval = world.calls.approvals.at(-1 - which);
    const callDigest = approval?.requested.callDigest ?? '';
    world.calls.answers(approval, { is: 'grant', by: at(VOICES, who), callDigest });
  }),
  kind('withdraws', 3, [2, 4], (world, which = 0, who = 0) =>
    world.calls.answers(world.calls.approvals.at(-1 - which), { is: 'withdraw', by: at(VOICES, who) }),
  ),
  kind('asks for more', 6, [3, 4, 3, 4], (world, which = 0, ttl = 0, who = 0, key = 0) => {
    const lease = [...world.held.values()].at(-1 - which)?.lease;
    if (lease === undefined) return;
    const ttlMs = at([undefined, 400_000, 86_400_000, 30_000], ttl);
    const asks = at([lease.agent, ...AGENTS], who);
    const { taskId, leaseId } = lease;
    says(world, asks, key === 3 ? 1 : 0, {
      type: 'lease.renewal_requested',
      data: { taskId, leaseId, ...(ttlMs === undefined ? {} : { ttlMs }) },
    });
  }),
  kind('is renewed', 8, [2, 2], (world, which = 0, ttl = 0) => {
    const lease = world.issued.at(-1 - which);
    if (lease === undefined) return;
    const { taskId, leaseId } = lease;
    const data = { taskId, leaseId, ttlMs: at([400_000, 86_400_000], ttl) };
    says(world, lease.agent, 0, { type: 'lease.renewal_requested', data });
    while (world.renewals.lands() || world.renewals.settles());
  }),
  kind('extends', 5, [], (world) => world.renewals.lands()),
  kind('renews', 5, [], (world) => world.renewals.settles()),
  kind('says again', 2, [60], (world, which = 0) => {
    const said = world.said[which];
    if (said !== undefined) world.hears(said);
  }),
  kind('time passes', 5, [6], (world, much = 0) => {
    world.nowMs += at([1_000, 3_000, 5_000, 20_000, 120_000, 600_000], much);
  }),
  kind('hears', 8, [4], (world, n = 0) => world.revokerHears(at(TASKS, n))),
  kind('hears again', 2, [4, 8], (world, n = 0, which = 0) => world.revokerHears(at(TASKS, n), which)),
  kind('expires', 2, [], (world) => world.late.expires(world.nowMs)),
  kind('cuts', 3, [], (world) => world.revokerCuts()),
  kind('hears of a cut', 3, [], (world) => world.hearsRequest()),
];
const BY_WEIGHT = KINDS.flatMap((each) => Array.from({ length: each.weight }, () => each));

/** One step of somebody; shown as what it does where a history fails. */
class Step {
  readonly #kind: Kind;
  readonly #choices: number[] = [];

  constructor(which: number, choice: number) {
    this.#kind = BY_WEIGHT[which]!;
    let rest = choice;
    for (const cases of this.#kind.of) {
      this.#choices.push(rest % cases);
      rest = Math.floor(rest / cases);
    }
  }

  run(world: FamilyWorld): void {
    this.#kind.act(world, ...this.#choices);
  }

  [fc.toStringMethod](): string {
    return `${this.#kind.name}(${this.#choices.join(', ')})`;
  }
}
const step = fc
  .tuple(fc.nat({ max: BY_WEIGHT.length - 1 }), fc.nat({ max: 9_999 }))
  .map(([which, choice]) => new Step(which, choice));

/**
 * Tasks that are there from the beginning, each with what it may not use, what it may not pass on, and whether an agent started it that
 * may use it too. Histories in which nothing is open are all the same.
 */
const without = fc.constantFrom(0, 0, 0, 0, 1, 2, 3, 4, 5, 6);
const family = fc.array(fc.tuple(without, without, fc.boolean()), {
  minLength: 2,
  maxLength: TASKS.length,
});
type Family = readonly (readonly [notUsed: number, notPassedOn: number, byAgent: boolean])[];
/** All is permitted, or needs people, or policy begins with something else. */
const firstPolicy = fc.constantFrom(0, 0, 26, 2, 18);

function begins(world: FamilyWorld, tasks: Family): void {
  const above: { notUsed: number; notPassedOn: number }[] = [];
  for (const [n, [own, passedOn, byAgent]] of tasks.entries()) {
    const parent = above[TASKS.findIndex((taskId) => taskId === PARENTS[n])];
    const who = byAgent && parent !== undefined ? 1 : 0;
    const bounds = (parent?.notPassedOn ?? 0) | (who === 1 ? (parent?.notUsed ?? 0) : 0);
    const notUsed = (own | bounds) === ALL_RIGHTS ? bounds : own | bounds;
    const notPassedOn = passedOn | (parent?.notPassedOn ?? 0);
    starts(world, n, who, notUsed, notPassedOn, 0, parent === undefined ? 0 : 1);
    above.push({ notUsed, notPassedOn });
  }
}

interface Seen {
  issued: number;
  alive: number;
  renewed: number;
  usableAtRest: number;
}

/** What the broker has told leaves no lease alive that may not live; neither does, later, what the revoker has made of it. */
function run(tasks: Family, policy: number, steps: readonly Step[], seen: Seen): void {
  const world = new FamilyWorld();
  begins(world, tasks);
  world.policyChanges(policy);
  for (const each of steps) {
    each.run(world);
    const alive = world.prompt.alive(world.nowMs);
    for (const leaseId of alive) isInBounds(world, leaseId, 'alive');
    seen.alive += alive.length;
  }
  const usable = world.rests();
  for (const leaseId of usable) {
    isInBounds(world, leaseId, 'of use at the target');
    const { lease } = world.held.get(leaseId)!;
    must(lease.state === 'issued', 'what was not issued is of no use');
    must(world.principals.get(leaseId)! <= lease.hardEndMs, 'the target lets nobody in after the hard end');
  }
  seen.usableAtRest += usable.length;
  seen.issued += world.issued.length;
  seen.renewed += world.renewals.granted;
}

function isInBounds(world: FamilyWorld, leaseId: string, how: string): void {
  const why = world.oracle.whyNot(leaseId);
  must(why === null, `${leaseId} is ${how} in its bounds: ${why}`);
}

it('no history leaves a lease alive outside declaration, policy and task life, or under an ancestor that is not open', () => {
  const seen: Seen = { issued: 0, alive: 0, renewed: 0, usableAtRest: 0 };
  fc.assert(
    fc.property(
      family,
      firstPolicy,
      fc.array(step, { minLength: 1, maxLength: 80, size: 'max' }),
      (tasks, policy, steps) => run(tasks, policy, steps, seen),
    ),
    { numRuns: RUNS, seed: SEED },
  );
  // A property of nothing would hold as well.
  expect(seen.issued).toBeGreaterThan(RUNS / 4);
  expect(seen.alive).toBeGreaterThan(RUNS);
  expect(seen.renewed).toBeGreaterThan(RUNS / 50);
  expect(seen.usableAtRest).toBeGreaterThan(RUNS / 20);
});
