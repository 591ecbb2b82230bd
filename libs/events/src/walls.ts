/** The walls of the design, which no policy moves: live task and ancestors, declaration, objective, and what can be served at all. */
import { GOOD_STANDING } from './agent-standing.js';
import type { CallFacts } from './call-facts.js';
import { targetOf, type Catalogue } from './catalogue.js';
import type { ToolCalled } from './inbound.js';
import { actorsFit } from './intend-token.js';
import type { Check } from './outbound.js';
import type { Refusal, RefusalCode } from './refusal.js';
import type { Declaration } from './declaration.js';
import { chainRefusal, type Sender, type Task } from './task.js';

type Wall = [check: string, code: RefusalCode, reason: string, ok: boolean];

/** Checks one after the other, to the first that fails. */
export function walls(
  call: ToolCalled,
  by: Sender,
  declaration: Declaration,
  facts: Pick<
    CallFacts,
    'task' | 'ancestors' | 'catalogue' | 'sealKeyThumbprint' | 'standing' | 'unfit' | 'nowMs'
  >,
): { checks: Check[]; refusal: Refusal | null } {
  const { catalogue, nowMs, standing = GOOD_STANDING } = facts;
  const tests: Wall[] = [
    // Who declared it found it in the catalogue, and in good standing: only what has changed since is worth a word.
    ...(standing.revoked ? [AGENT_REVOKED] : []),
    ...(catalogue.agents.has(by.id) ? [] : [AGENT_GONE]),
    ['tool_known', 'ERR_TOOL_UNKNOWN', 'a tool nobody knows', catalogue.tools.has(call.tool)],
    [
      'dataset_known',
      'ERR_DATASET_UNKNOWN',
      'a dataset nobody knows',
      call.dataset === undefined
        ? catalogue.tools.get(call.tool)?.dataset === 'none'
        : catalogue.datasets.has(call.dataset),
    ],
    [
      'in_declaration',
      'ERR_NOT_DECLARED',
      'the call is outside the declaration of its task',
      isHeld([declaration, ...declarationsOf(facts.ancestors)], call, by.id),
    ],
    [
      'objective_matches',
      'ERR_OBJECTIVE_MISMATCH',
      'the objective is not the declared one',
      call.objectiveSha256 === undefined || call.objectiveSha256 === declaration.objectiveSha256,
    ],
    [
      'seal_key_valid',
      'ERR_SEAL_KEY_INVALID',
      'sealTo is no valid public key',
      facts.sealKeyThumbprint !== null,
    ],
    [
      'seal_key_own',
      'ERR_SEAL_KEY_REUSED',
      'sealTo is the proof key',
      facts.sealKeyThumbprint !== by.keyThumbprint,
    ],
    [
      'ttl_in_task',
      'ERR_TTL_TOO_LONG',
      'the credential would outlive the task',
      nowMs + (call.ttlMs ?? 0) <= declaration.deadlineMs,
    ],
    [
      'kind_supported',
      'ERR_KIND_UNSUPPORTED',
      'no credential of this kind for this dataset',
      kindFits(call, catalogue),
    ],
  ];
  const found = targetOf(call, catalogue);
  const unfit = found === null ? null : (facts.unfit?.(found.target.id, found.rights) ?? null);
  // Where a target is fit there is nothing to say: it is not a matter of this call.
  if (unfit !== null) tests.push(['target_fit', 'ERR_TARGET_UNFIT', unfit, false]);
  if (found?.target.provider === 'jwt')
    tests.push([
      'actors_fit',
      'ERR_NOT_DELEGABLE',
      'delegated through more agents than a token may name',
      actorsFit(by.id, facts.task, facts.ancestors),
    ]);
  const chain = chainRefusal(facts.task, facts.ancestors, nowMs);
  const checks: Check[] = [{ check: 'task_live', ok: chain === null, ...reasonOf(chain) }];
  let first = chain;
  for (const [check, code, reason, ok] of first === null ? tests : []) {
    checks.push(ok ? { check, ok } : { check, ok, reason });
    if (ok) continue;
    first = { code, reason };
    break;
  }
  return { checks, refusal: first };
}

const AGENT_REVOKED: Wall = ['agent_not_revoked', 'ERR_AGENT_REVOKED', 'the agent is revoked', false];
const AGENT_GONE: Wall = [
  'agent_known',
  'ERR_AGENT_UNKNOWN',
  'the catalogue has no such agent any more',
  false,
];

const reasonOf = (refusal: Refusal | null) => (refusal === null ? {} : { reason: refusal.reason });

const declarationsOf = (tasks: readonly Task[]): Declaration[] =>
  tasks.flatMap(({ declaration }) => declaration ?? []);

/** What an agent handed on to itself it has as long as its parent task lets it: that one may have been amended since. */
function isHeld([own, ...above]: readonly Declaration[], call: ToolCalled, agent: string): boolean {
  if (own === undefined || !isDeclared(own, call, agent)) return false;
  return own.orchestrator !== agent || above.length === 0 || isHeld(above, call, agent);
}

export function isDeclared(
  declaration: Pick<Declaration, 'declared'>,
  call: Pick<ToolCalled, 'tool' | 'dataset' | 'action'>,
  agent: string,
): boolean {
  return declaration.declared.some(
    ({ tool, dataset, actions, agents }) =>
      tool === call.tool &&
      dataset === call.dataset &&
      actions.includes(call.action) &&
      (agents === undefined || agents.includes(agent)),
  );
}

function kindFits(call: ToolCalled, catalogue: Catalogue): boolean {
  const found = targetOf(call, catalogue);
  if (found === null) return false;
  return call.credential === undefined || call.credential === found.target.provider;
}
