/** Runs policy tests, the cases beside the policies (`tests/*.yaml`) that say what the set must decide. A set that fails one is not used. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { ConfigError } from '#config/config-error.js';
import { validate } from '#config/validate.js';
import { YamlFile } from '#config/yaml-file.js';
import type { AgentEntry, Catalogue } from '#events/catalogue.js';
import { decideCall } from './decide-call.js';
import { decideTask } from './decide-task.js';
import type { ParsedPolicies } from './parse-policies.js';
import type { PolicyProblem } from './policy-error.js';
import {
  HOUR_MS,
  NOON_MS,
  ordinaryNow,
  ordinaryTask,
  type Outcome,
  testCase,
  type PolicyTestCase,
} from './policy-test-case.js';

export interface PolicyTestReport {
  passed: number;
  failures: PolicyProblem[];
  /** Ids of policies that no case makes determining: they could be changed unnoticed. */
  untested: string[];
  files: TestedFile[];
}

export interface TestedFile {
  file: string;
  /** Why the file cannot be read; it then has no case. */
  problem?: PolicyProblem;
  cases: TestedCase[];
}

export interface TestedCase {
  name: string;
  /** 1-based. */
  line: number;
  /** What was decided otherwise than expected; none: it passed. */
  differences: string[];
}

/** A folder without tests passes. */
export async function runPolicyTests(
  policies: ParsedPolicies,
  catalogue: Catalogue,
  dir: string,
): Promise<PolicyTestReport> {
  const names = await readdir(join(dir, 'tests')).catch(() => []);
  const determined = new Set<string>();
  const files: TestedFile[] = [];
  for (const name of names.filter((each) => each.endsWith('.yaml')).sort())
    files.push(await runFile(join(dir, 'tests', name), policies, catalogue, determined));
  return {
    passed: files.flatMap(({ cases }) => cases).filter(({ differences }) => differences.length === 0).length,
    failures: files.flatMap(failuresOf),
    untested: [...policies.rules.keys()].filter((id) => !determined.has(id)).sort(),
    files,
  };
}

async function runFile(
  file: string,
  policies: ParsedPolicies,
  catalogue: Catalogue,
  determined: Set<string>,
): Promise<TestedFile> {
  let yaml: YamlFile;
  let cases: PolicyTestCase[];
  try {
    yaml = await YamlFile.read(file);
    cases = validate(yaml, {}, z.array(testCase));
  } catch (error) {
    if (error instanceof ConfigError) return { file, problem: unreadable(error), cases: [] };
    throw error;
  }
  const tested: TestedCase[] = [];
  for (const [index, given] of cases.entries()) {
    // Whoever decides by another set meanwhile must not wait for all of them.
    await setImmediate();
    const actual = outcomeOf(policies, catalogue, given);
    actual.determining?.forEach((id) => determined.add(id));
    tested.push({
      name: given.name,
      line: yaml.lineOf([index, 'name']),
      differences: differences(given.expect, actual),
    });
  }
  return { file, cases: tested };
}

const unreadable = ({ file, line, key, message }: ConfigError): PolicyProblem => ({
  code: 'ERR_POLICY_TEST',
  file,
  ...(line === undefined ? {} : { at: { line, column: 1 } }),
  message: key === undefined ? message : `${key}: ${message}`,
});

const failuresOf = ({ file, problem, cases }: TestedFile): PolicyProblem[] => [
  ...(problem === undefined ? [] : [problem]),
  ...cases
    .filter(({ differences }) => differences.length > 0)
    .map(({ name, line, differences }) => ({
      code: 'ERR_POLICY_TEST' as const,
      file,
      at: { line, column: 1 },
      message: `${name}: ${differences.join(', ')}`,
    })),
];

function outcomeOf(policies: ParsedPolicies, catalogue: Catalogue, given: PolicyTestCase): Outcome {
  if (given.declare !== undefined) {
    const { task, ...request } = given.declare;
    const decided = decideTask(policies, {
      catalogue,
      ...request,
      task: ordinaryTask(request.orchestrator, task ?? {}, NOON_MS),
    });
    return { decision: decided.decision, code: decided.code, determining: decided.policies };
  }
  if (given.call === undefined) throw new TypeError('a case has neither call nor declare');
  const { task, now: givenNow, agentIs, ...request } = given.call;
  const now = ordinaryNow(givenNow ?? {}, request.dataset !== undefined);
  const decided = decideCall(policies, {
    catalogue: withAgent(catalogue, request.agent, agentIs),
    ...request,
    task: ordinaryTask('spiffe://test.invalid/orchestrator', task ?? {}, now.atMs - HOUR_MS),
    now,
  });
  return {
    decision: decided.decision,
    code: decided.code,
    determining: [...new Set(decided.checks.flatMap(({ policies: ids }) => ids ?? []))].sort(),
    ttlMs: decided.obligations.ttlMs ?? undefined,
    approval: decided.obligations.approval ?? undefined,
  };
}

function withAgent(catalogue: Catalogue, id: string, is: Partial<AgentEntry> | undefined): Catalogue {
  const agent = catalogue.agents.get(id);
  if (is === undefined || agent === undefined) return catalogue;
  return { ...catalogue, agents: new Map(catalogue.agents).set(id, { ...agent, ...is }) };
}

function differences(expected: Outcome, actual: Outcome): string[] {
  const shown = (value: unknown) => (value === undefined ? 'none' : JSON.stringify(value));
  return (Object.keys(expected) as (keyof Outcome)[]).flatMap((key) => {
    const wanted = key === 'determining' ? [...(expected.determining ?? [])].sort() : expected[key];
    return shown(wanted) === shown(actual[key])
      ? []
      : [`expected ${key} ${shown(wanted)}, got ${shown(actual[key])}`];
  });
}
