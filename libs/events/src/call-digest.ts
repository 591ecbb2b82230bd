import type { CallFacts } from './call-facts.js';
import { targetOf } from './catalogue.js';
import type { ToolCalled } from './inbound.js';
import { canonical } from './jcs.js';
import type { Sender } from './task.js';

/** What an approval is bound to: all that makes this call what it is, and the policy that asked for people. */
export function callDigestOf(call: ToolCalled, by: Sender, facts: CallFacts): string {
  const { task, catalogue, judge } = facts;
  const target = targetOf(call, catalogue)?.target;
  const digest = facts.sha256Hex(
    canonical({
      taskId: task.taskId,
      generation: task.generation,
      agent: by.id,
      callId: call.callId,
      tool: call.tool,
      dataset: call.dataset ?? null,
      action: call.action,
      argumentsSha256: call.argumentsSha256 ?? null,
      credential: target?.provider ?? null,
      target: target?.id ?? null,
      ttlMs: call.ttlMs ?? null,
      policySet: judge.digest,
    }),
  );
  return `sha256:${digest}`;
}
