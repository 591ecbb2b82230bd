/** The explanation of a call as people read it. */
import type { ExplainedCheck, Explanation, NamedPolicy } from '#policy/explain/explain-call.js';
import type { RecordedCall } from '#policy/replay/rejudge.js';
import { printable } from '../dlq/letter-text.js';
import { factsLines } from './facts-text.js';
import type { Followed } from './recorded-call.js';
import { whatWouldChange } from './what-would-change.js';

/** Of a line: facts hold what others wrote. */
const MOST_CHARS = 4_096;

export interface Around {
  /** Earlier decisions on the same call. */
  earlier: readonly RecordedCall['decided'][];
  followed: readonly Followed[];
}

export function explanationText(explanation: Explanation, { earlier, followed }: Around): string {
  const { decided, checks } = explanation;
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', title, ...lines];
  return [
    `call ${decided.callId} of task ${decided.taskId}, decided ${decided.at}`,
    [decided.agent, decided.tool, decided.dataset ?? [], decided.action].flat().join(' '),
    [decided.decision, decided.code ?? []].flat().join(' '),
    ...section(
      'decided before',
      earlier.map((each) => `  ${each.at} ${[each.decision, each.code ?? []].flat().join(' ')}`),
    ),
    ...section(
      'checks',
      checks.flatMap((check) => checkLines(check, explanation)),
    ),
    ...section('policies', policySetLines(explanation)),
    ...section(...factsOf(explanation)),
    ...section('obligations', obligationLines(explanation)),
    ...section(
      'what would have to change',
      whatWouldChange(explanation).map((line) => `  ${line}`),
    ),
    ...section('what followed', followed.map(followedLine)),
  ]
    .map((line) => printable(line, MOST_CHARS))
    .join('\n');
}

function checkLines({ check, ok, reason, policies }: ExplainedCheck, { policySet }: Explanation): string[] {
  return [
    `  ${ok ? 'ok ' : 'NOT'}  ${check}${reason === undefined ? '' : `: ${reason}`}`,
    ...policies.map((policy) => {
      // The words of one alone stand in the line above, as they were recorded.
      const words = policies.length > 1 && policy.today !== null ? `, ${policy.today.reason}` : '';
      return `         ${policyText(policy, policySet.today !== null)}${words}`;
    }),
  ];
}

function policyText({ id, today }: NamedPolicy, isRead: boolean): string {
  if (!isRead) return id;
  return today === null
    ? `${id}: not there any more`
    : `${id} ${today.effect}s: ${today.place.file}:${today.place.line}`;
}

function policySetLines({ policySet: { then, today, isSame }, today: now }: Explanation): string[] {
  if (isSame === true) return [`  ${then}, as they stand today`];
  return [
    `  ${then} decided`,
    today === null
      ? '  those of today cannot be read, so that nothing is told of their text'
      : `  ${today} today: they have changed since, and what stands under a name may be another policy by now`,
    ...(now === null
      ? []
      : [
          `  those of today, on the same facts: ${[now.decision, now.code ?? []].flat().join(' ')}: ${now.reasons.join('; ')}`,
        ]),
  ];
}

function factsOf({ inputs: { state, kept }, decided }: Explanation): [string, string[]] {
  const title = decided.inputs === undefined ? 'facts' : `facts ${decided.inputs}`;
  return [title, kept === null ? [`  ${NO_FACTS[state]}`] : factsLines(kept)];
}

const NO_FACTS: Record<Explanation['inputs']['state'], string> = {
  kept: '',
  gone: 'not kept any more (retention.decisionInputDays): only what stands above is known',
  none: 'none: the call was refused before policy was asked',
  altered: 'what is kept has another digest: somebody changed it, and nothing is concluded from it',
};

function obligationLines({ decided: { decision, obligations }, ttlBy, approvalBy }: Explanation): string[] {
  const { ttlMs, approval } = obligations;
  const setBy = (ids: string[] | null) =>
    ids === null || ids.length === 0
      ? 'by which policy cannot be told, for the policies have changed since or cannot be read'
      : `by ${ids.join(', ')}`;
  return [
    ...(ttlMs === null ? [] : [`  at most ${ttlMs / 1_000} s, ${setBy(ttlBy)}`]),
    ...(ttlMs === null && decision === 'permit' ? ['  no policy limits the time to live'] : []),
    ...(approval === null ? [] : [`  ${approval} approval, ${setBy(approvalBy)}`]),
  ];
}

const followedLine = ({ at, type, code, leaseId }: Followed): string =>
  `  ${[at, type, code ?? [], leaseId ?? []].flat().join(' ')}`;
