/**
 * Policy tests: cases beside the policies (`tests/*.yaml`) that say what the set must decide. A set that fails one is not used.
 * A case names what it is about; the rest of the facts are ordinary: noon, an hour left, nothing used, nobody asked.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { validate } from '#config/validate.js';
import { YamlFile } from '#config/yaml-file.js';
import type { Catalogue } from '#events/catalogue.js';
import { decideCall } from './decide-call.js';
import { decideTask } from './decide-task.js';
import type { NowContext, TaskContext } from './facts.js';
import type { ParsedPolicies } from './parse-policies.js';
import type { PolicyProblem } from './policy-error.js';

const taskFacts = z.strictObject({
  onBehalfOf: z.string().optional(),
  purpose: z.string().optional(),
  risk: z.enum(['low', 'medium', 'high']).optional(),
  deadline: z.iso.datetime().optional(),
  depth: z.int().optional(),
  maxCalls: z.int().optional(),
  maxRows: z.int().optional(),
});
const nowFacts = z.strictObject({
  at: z.iso.datetime().optional(),
  calls: z.int().optional(),
  callsLastMinute: z.int().optional(),
  rows: z.int().optional(),
  drift: z.int().optional(),
  renewals: z.int().optional(),
  approval: z.enum(['none', 'requested', 'approved', 'refused']).optional(),
  approvers: z.array(z.string()).optional(),
});
const call = z.strictObject({
  agent: z.string(),
  tool: z.string(),
  dataset: z.string().optional(),
  action: z.string(),
  task: taskFacts.optional(),
  now: nowFacts.optional(),
});
const declaration = z.strictObject({
  orchestrator: z.string(),
  agents: z.array(z.string()).min(1),
  declared: z
    .array(
      z.strictObject({
        tool: z.string(),
        dataset: z.string().optional(),
        actions: z.array(z.string()).min(1),
        agents: z.array(z.string()).min(1).optional(),
      }),
    )
    .min(1),
  task: taskFacts.optional(),
});
const expectation = z.strictObject({
  decision: z.enum(['permit', 'deny', 'approval_required']),
  code: z.string().optional(),
  /** Ids of all determining policies. */
  determining: z.array(z.string()).optional(),
  ttlMs: z.int().optional(),
  approval: z.string().optional(),
});
/** `call`: one tool call; `declare`: a task's declaration. */
const testCase = z
  .strictObject({
    name: z.string().min(1),
    call: call.optional(),
    declare: declaration.optional(),
    expect: expectation,
  })
  .refine(
    (given) => (given.call === undefined) !== (given.declare === undefined),
    'needs either call or declare',
  );
type Case = z.infer<typeof testCase>;
type Facts = z.infer<typeof expectation>;

export interface PolicyTestReport {
  passed: number;
  failures: PolicyProblem[];
  /** Ids of policies that no case makes determining: they could be changed unnoticed. */
  untested: string[];
}

/** @throws ConfigError for a test file that cannot be read. A folder without tests passes. */
export async function runPolicyTests(
  policies: ParsedPolicies,
  catalogue: Catalogue,
  dir: string,
): Promise<PolicyTestReport> {
  const names = await readdir(join(dir, 'tests')).catch(() => []);
  const files = await Promise.all(
    names
      .filter((name) => name.endsWith('.yaml'))
      .sort()
      .map((name) => YamlFile.read(join(dir, 'tests', name))),
  );
  const determined = new Set<string>();
  const failures: PolicyProblem[] = [];
  let passed = 0;
  for (const yaml of files)
    validate(yaml, {}, z.array(testCase)).forEach((given, index) => {
      const actual = outcomeOf(policies, catalogue, given);
      actual.determining?.forEach((id) => determined.add(id));
      const different = differences(given.expect, actual);
      if (different.length === 0) passed += 1;
      else
        failures.push({
          code: 'ERR_POLICY_TEST',
          file: yaml.file,
          at: { line: yaml.lineOf([index, 'name']), column: 1 },
          message: `${given.name}: ${different.join(', ')}`,
        });
    });
  return {
    passed,
    failures,
    untested: [...policies.rules.keys()].filter((id) => !determined.has(id)).sort(),
  };
}

function outcomeOf(policies: ParsedPolicies, catalogue: Catalogue, given: Case): Facts {
  if (given.declare !== undefined) {
    const { task, ...request } = given.declare;
    const decided = decideTask(policies, {
      catalogue,
      ...request,
      task: ordinaryTask(request.orchestrator, task ?? {}),
    });
    return { decision: decided.decision, code: decided.code, determining: decided.policies };
  }
  if (given.call === undefined) throw new TypeError('a case has neither call nor declare');
  const { task, now, ...request } = given.call;
  const decided = decideCall(policies, {
    catalogue,
    ...request,
    task: ordinaryTask('spiffe://test.invalid/orchestrator', task ?? {}),
    now: ordinaryNow(now ?? {}),
  });
  return {
    decision: decided.decision,
    code: decided.code,
    determining: [...new Set(decided.checks.flatMap(({ policies: ids }) => ids ?? []))].sort(),
    ttlMs: decided.obligations.ttlMs ?? undefined,
    approval: decided.obligations.approval ?? undefined,
  };
}

function differences(expected: Facts, actual: Facts): string[] {
  const shown = (value: unknown) => (value === undefined ? 'none' : JSON.stringify(value));
  return (Object.keys(expected) as (keyof Facts)[]).flatMap((key) => {
    const wanted = key === 'determining' ? [...(expected.determining ?? [])].sort() : expected[key];
    return shown(wanted) === shown(actual[key])
      ? []
      : [`expected ${key} ${shown(wanted)}, got ${shown(actual[key])}`];
  });
}

const NOON_MS = Date.UTC(2026, 0, 5, 12);
const HOUR_MS = 3_600_000;

function ordinaryTask(orchestrator: string, { deadline, ...given }: z.infer<typeof taskFacts>): TaskContext {
  return {
    taskId: '019b8e6a-7400-7000-8000-000000000001',
    orchestrator,
    onBehalfOf: 'user:somebody@test.invalid',
    purpose: 'policy test',
    risk: 'low',
    deadlineMs: deadline === undefined ? NOON_MS + HOUR_MS : Date.parse(deadline),
    depth: 0,
    maxCalls: 100,
    maxRows: 10_000,
    ...given,
  };
}

function ordinaryNow({ at, ...given }: z.infer<typeof nowFacts>): NowContext {
  return {
    atMs: at === undefined ? NOON_MS : Date.parse(at),
    calls: 0,
    callsLastMinute: 0,
    rows: 0,
    drift: 0,
    renewals: 0,
    approval: 'none',
    approvers: [],
    ...given,
  };
}
