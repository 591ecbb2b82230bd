/**
 * A policy test: one case of `tests/*.yaml`. It names what it is about; the rest of the facts are ordinary: noon, the task an hour old
 * and with an hour left, nothing used, nobody asked.
 */
import { z } from 'zod';
import type { NowContext, TaskContext } from './facts.js';

const taskFacts = z.strictObject({
  onBehalfOf: z.string().optional(),
  purpose: z.string().optional(),
  risk: z.enum(['low', 'medium', 'high']).optional(),
  deadline: z.iso.datetime().optional(),
  depth: z.int().optional(),
  maxCalls: z.int().optional(),
  maxRows: z.int().optional(),
  maxCallsPerMinute: z.int().optional(),
  startedAt: z.iso.datetime().optional(),
  objective: z.string().optional(),
});
const nowFacts = z.strictObject({
  at: z.iso.datetime().optional(),
  calls: z.int().optional(),
  callsLastMinute: z.int().optional(),
  callsOfTool: z.int().optional(),
  callsOfDataset: z.int().optional(),
  refused: z.int().optional(),
  rows: z.int().optional(),
  drift: z.int().optional(),
  renewals: z.int().optional(),
  approval: z.enum(['none', 'requested', 'approved', 'refused']).optional(),
  approvers: z.array(z.string()).optional(),
});
const model = z.strictObject({ name: z.string(), version: z.string().optional() });
const call = z.strictObject({
  agent: z.string(),
  /** What its entry in the catalogue would say instead. */
  agentIs: z
    .strictObject({ trust: z.int(), attested: z.boolean(), environment: z.string(), models: z.array(model) })
    .partial()
    .optional(),
  tool: z.string(),
  dataset: z.string().optional(),
  action: z.string(),
  argumentsSha256: z.string().optional(),
  model: model.optional(),
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
export const testCase = z
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
export type PolicyTestCase = z.infer<typeof testCase>;
/** What is expected, or was decided. */
export type Outcome = z.infer<typeof expectation>;

export const NOON_MS = Date.UTC(2026, 0, 5, 12);
export const HOUR_MS = 3_600_000;

export function ordinaryTask(
  orchestrator: string,
  { deadline, startedAt, objective, ...given }: z.infer<typeof taskFacts>,
  startedAtMs: number,
): TaskContext {
  return {
    taskId: '019b8e6a-7400-7000-8000-000000000001',
    orchestrator,
    onBehalfOf: 'user:somebody@test.invalid',
    purpose: 'policy test',
    risk: 'low',
    objectiveSha256: objective ?? '0'.repeat(64),
    startedAtMs: startedAt === undefined ? startedAtMs : Date.parse(startedAt),
    deadlineMs: deadline === undefined ? NOON_MS + HOUR_MS : Date.parse(deadline),
    depth: 0,
    maxCalls: 100,
    maxRows: 10_000,
    ...given,
  };
}

export function ordinaryNow({ at, ...given }: z.infer<typeof nowFacts>, hasDataset: boolean): NowContext {
  return {
    atMs: at === undefined ? NOON_MS : Date.parse(at),
    calls: 0,
    callsLastMinute: 0,
    callsOfTool: 0,
    ...(hasDataset ? { callsOfDataset: 0 } : {}),
    refused: 0,
    rows: 0,
    drift: 0,
    renewals: 0,
    approval: 'none',
    approvers: [],
    ...given,
  };
}
