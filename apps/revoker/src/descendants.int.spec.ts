/** What happens to a task reaches all that hangs on it, however deep, in one transaction. */
import { v7 as uuidv7 } from 'uuid';
import type { CutCause } from '#events/causes.js';
import { amended } from './amendment.contract.js';
import { brokers } from './broker-voice.contract.js';
import { World } from './revoker-world.contract.js';
import { tokenPlan } from './token-plan.contract.js';

const DESCENDANTS = 1_000;
const IN_BETWEEN = 10;
const READ_WITHIN_MS = 80_000;

let world: World;
beforeAll(async () => {
  world = await World.open('rvd');
});
afterAll(() => world.close());
beforeEach(() => world.start());
afterEach(() => world.stop());

/** A lease in each of a thousand tasks, three deep. */
async function leasesUnder(root: string): Promise<string[]> {
  const middle = Array.from({ length: IN_BETWEEN }, () => uuidv7());
  const leases: string[] = [];
  for (let n = 0; n < DESCENDANTS; n += 1) {
    const taskId = uuidv7();
    const plan = tokenPlan(taskId, n);
    const lineage = [taskId, middle[n % IN_BETWEEN] ?? '', root].map((id) => ({ taskId: id, generation: 1 }));
    const { data } = world.intended(taskId, plan);
    await world.say({ type: 'lease.intended', data: { ...data, lineage } });
    leases.push(plan.leaseId);
  }
  await world.quiet(READ_WITHIN_MS);
  return leases;
}

const happens: [what: string, cause: CutCause, act: (root: string) => Promise<void>][] = [
  ['the end', 'parent_ended', (root) => world.endTask(root)],
  [
    'the suspension',
    'parked',
    (root) =>
      world.say({ type: 'task.suspended', data: { ...brokers(root), generation: 2, cause: 'parked' } }),
  ],
  ['the amendment', 'amended', (root) => world.say(amended(root))],
];

it.each(happens)(
  '%s of a task makes the leases of a thousand descendants due at once',
  async (_what, cause, act) => {
    const root = uuidv7();
    await world.startTask(root);
    const leases = await leasesUnder(root);

    await act(root);
    await world.quiet(READ_WITHIN_MS);

    const { rows } = await world.db.pool.query<{ leases: number; transactions: number; causes: string[] }>(
      `SELECT count(*)::int AS leases, count(DISTINCT xmin::text)::int AS transactions,
            array_agg(DISTINCT data->>'cause') AS causes
       FROM event WHERE type = 'lease.revocation_requested' AND data->>'leaseId' = ANY($1::text[])`,
      [leases],
    );
    expect(rows).toEqual([{ leases: DESCENDANTS, transactions: 1, causes: [cause] }]);
  },
  180_000,
);
