/** Chains of exchanges: whatever is asked for, nothing that comes out permits what did not go in. */
import { createHash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CLAIMS, NOW_S, SIGNER } from '../test/samples.js';
import { readAccessToken, signAccessToken, type AccessTokenClaims } from './access-token.js';
import { actorsOf, type Actor } from './actor.js';
import { covers, type Act, type ToolAccess } from './authorization-detail.js';
import { checkExchange } from './exchange.js';

const PLACES = ['https://orders.corp.example', 'https://mail.corp.example'];
const TOOLS = ['orders.api', 'mail.send'];
const DATASETS = ['orders', 'customers', undefined];
const ACTIONS = ['read', 'write', 'delete'];
const AGENTS = ['planner', 'executor', 'mailer'].map((name) => `spiffe://corp.example/agent/${name}`);
const PERSONS = ['user:maria@corp.example', 'user:igor@corp.example'];
const TASKS = ['task-1', 'task-2', 'task-3'];

/** Everything that can be done in this world. */
const ACTS: Act[] = PLACES.flatMap((audience) =>
  TOOLS.flatMap((tool) =>
    DATASETS.flatMap((dataset) => ACTIONS.map((action): Act => ({ audience, tool, dataset, action }))),
  ),
);
const permits = ({ authorization_details }: AccessTokenClaims, act: Act) =>
  authorization_details.some((detail) => covers(detail, act));

const detail = fc
  .record({
    locations: fc.constantFrom(...PLACES).map((place): [string] => [place]),
    tool: fc.constantFrom(...TOOLS),
    dataset: fc.constantFrom(...DATASETS),
    actions: fc.subarray(ACTIONS, { minLength: 1 }),
  })
  .map(({ dataset, ...rest }): Omit<ToolAccess, 'task'> => ({
    type: 'mayfly_tool_access',
    ...rest,
    ...(dataset !== undefined && { dataset }),
  }));
const details = fc.array(detail, { minLength: 1, maxLength: 4 });
const lineage = fc
  .tuple(
    fc.shuffledSubarray(TASKS, { minLength: 1 }),
    fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 3 }),
  )
  .map(([tasks, generations]) =>
    tasks.map((taskId, n) => ({ taskId, generation: generations[n] as number })),
  );
/** One key for each agent: thumbprints of nothing in particular. */
const thumbprints = AGENTS.map((agent) => createHash('sha256').update(agent).digest('base64url'));
const chain = (subs: string[]): Actor =>
  subs.reduceRight<Actor | undefined>(
    (act, sub) => (act === undefined ? { sub } : { sub, act }),
    undefined,
  ) as Actor;
const actors = fc.array(fc.constantFrom(...AGENTS), { minLength: 1, maxLength: 4 });
const end = fc.integer({ min: NOW_S + 1, max: NOW_S + 300 });
const digest = fc.constantFrom(undefined, 'a'.repeat(64), 'b'.repeat(64));

interface Wish {
  act: string[];
  details: Omit<ToolAccess, 'task'>[];
  lineage: AccessTokenClaims['lineage'];
  exp: number;
  sub: string;
  digest: string | undefined;
}
const token = (jti: string, wish: Wish): AccessTokenClaims => {
  const { status: _status, arguments_sha256: _digest, ...rest } = CLAIMS;
  const act = chain(wish.act);
  return {
    ...rest,
    jti,
    sub: wish.sub,
    client_id: act.sub,
    act,
    exp: wish.exp,
    cnf: { jkt: thumbprints[AGENTS.indexOf(act.sub)] as string },
    lineage: wish.lineage,
    authorization_details: wish.details.map((each) => ({ ...each, task: wish.lineage[0]?.taskId ?? '' })),
    ...(wish.digest !== undefined && { arguments_sha256: wish.digest }),
  };
};

const wish: fc.Arbitrary<Wish> = fc.record({
  act: actors,
  details,
  lineage,
  exp: end,
  sub: fc.constantFrom(...PERSONS),
  digest,
});
const mostly = fc.nat(9).map((n) => n > 0);
/** What is asked for next: each member either made up, or what an honest client would ask for after `before`. */
const nextWish = fc.record({
  made: wish,
  honest: fc.record({
    act: mostly,
    details: mostly,
    lineage: mostly,
    exp: mostly,
    sub: mostly,
    digest: mostly,
  }),
  actor: fc.constantFrom(...AGENTS),
  keep: fc.nat(255),
  earlier: fc.nat(60),
});

function wishAfter(before: AccessTokenClaims, { made, honest, actor, keep, earlier }: Next): Wish {
  const subs = actorsOf(before.act);
  const kept = before.authorization_details.filter((_detail, n) => ((keep >> n) & 1) === 1);
  const narrower = (kept.length === 0 ? before.authorization_details : kept).map(
    ({ task: _task, ...each }, n) => ({
      ...each,
      actions: each.actions.filter((_action, index) => index === 0 || ((keep >> (n + index)) & 1) === 1),
    }),
  );
  return {
    act: honest.act ? (subs[0] === actor ? subs : [actor, ...subs].slice(0, 4)) : made.act,
    details: honest.details ? narrower : made.details,
    lineage: honest.lineage ? before.lineage : made.lineage,
    exp: honest.exp ? Math.max(NOW_S, before.exp - earlier) : made.exp,
    sub: honest.sub ? before.sub : made.sub,
    digest: honest.digest ? (before.arguments_sha256 ?? made.digest) : made.digest,
  };
}
type Next = typeof nextWish extends fc.Arbitrary<infer N> ? N : never;

/** Dead are the generations of `taskId` below `generationBelow`. */
const dies = ({ lineage: entries }: AccessTokenClaims, taskId: string, generationBelow: number) =>
  entries.some((entry) => entry.taskId === taskId && entry.generation < generationBelow);

it('no chain of exchanges permits, lasts, hides or survives more than what it began with', () => {
  const seen = { granted: 0, refused: 0, longest: 0 };
  fc.assert(
    fc.property(wish, fc.array(nextWish, { minLength: 1, maxLength: 12 }), (first, asked) => {
      const granted = [token('lease-0', first)];
      asked.forEach((ask, n) => {
        const source = granted.at(-1) as AccessTokenClaims;
        const result = token(`lease-${n + 1}`, wishAfter(source, ask));
        if (checkExchange(source, result).ok) granted.push(result);
        else seen.refused += 1;
      });
      seen.granted += granted.length - 1;
      seen.longest = Math.max(seen.longest, granted.length - 1);

      granted.forEach((result, n) => {
        for (const source of granted.slice(0, n)) {
          for (const act of ACTS.filter((each) => permits(result, each)))
            expect(permits(source, act)).toBe(true);
          expect(result.exp).toBeLessThanOrEqual(source.exp);
          expect(result.sub).toBe(source.sub);
          const history = actorsOf(result.act);
          expect(history.slice(-actorsOf(source.act).length)).toEqual(actorsOf(source.act));
          if (source.arguments_sha256 !== undefined)
            expect(result.arguments_sha256).toBe(source.arguments_sha256);
          for (const taskId of TASKS)
            for (const below of [1, 2, 3])
              if (dies(source, taskId, below)) expect(dies(result, taskId, below)).toBe(true);
        }
      });
    }),
    { numRuns: 2000, seed: 20261125 },
  );
  // The property says something only where exchanges happen.
  expect(seen.granted).toBeGreaterThan(1000);
  expect(seen.refused).toBeGreaterThan(1000);
  expect(seen.longest).toBeGreaterThan(5);
});

it('what is granted can be signed, and is read as it was granted', () => {
  fc.assert(
    fc.property(wish, (any) => {
      const claims = token('lease', any);
      const reading = readAccessToken(signAccessToken(claims, SIGNER));
      expect(reading.ok && reading.claims).toEqual(claims);
    }),
    { numRuns: 500, seed: 20261125 },
  );
});
