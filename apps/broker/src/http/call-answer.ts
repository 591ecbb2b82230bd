/** A call made over HTTP: waits for what it comes to. */
import type { ToolCalled } from '#events/inbound.js';
import { unreachable } from '#events/unreachable.js';
import { transact } from '#store/database.js';
import type { Answer } from '../answers.js';
import type { BrokerParts } from '../broker-parts.js';
import { callOutcomes, type CallKey, type CallOutcome } from '../call-rows.js';
import type { refusalProblem } from './problems.js';

export const ANSWER_WITHIN_MS = 10_000;

/** What its maker is told of a call. */
export type CallAnswer = Exclude<Answer, { is: 'taken' }> | CallOutcome | { is: 'pending' };

export const keyOf = (call: ToolCalled, agent: string): CallKey => ({
  taskId: call.taskId,
  agent,
  callId: call.callId,
});

/** @param make decides the call. Whoever waits is there before: the outcome may come at once. */
export async function answerCall(
  { board, db }: Pick<BrokerParts, 'board' | 'db'>,
  key: CallKey,
  make: () => Promise<Answer>,
  withinMs: number,
): Promise<CallAnswer> {
  const seat = board.seat(key);
  try {
    const answer = await make();
    if (answer.is !== 'taken') return answer;
    if (answer.call?.state === 'pending') return (await seat.outcome(withinMs)) ?? { is: 'pending' };
    const [outcome] = await transact(db, (tx) => callOutcomes(tx, [key]));
    return outcome ?? { is: 'refused', code: 'ERR_LEASE_ENDED', reasons: ['nothing of this call is kept'] };
  } finally {
    seat.leave();
  }
}

/** Why there is no credential; reasons as `call.refused` has them on the bus. */
export function refusalOf(answer: Exclude<CallAnswer, { is: 'issued' }>): {
  refusal: Parameters<typeof refusalProblem>[0];
  reasons: readonly string[];
} {
  switch (answer.is) {
    case 'pending':
      return {
        refusal: { code: 'ERR_ANSWER_PENDING', reason: 'the outcome is not known yet: ask again' },
        reasons: [],
      };
    case 'waiting':
      return {
        refusal: { code: 'ERR_APPROVAL_REQUIRED', reason: 'this call waits for an approval' },
        reasons: answer.approval.requested.reasons,
      };
    case 'rejected':
      return { refusal: answer.refusal, reasons: [answer.refusal.reason] };
    case 'refused': {
      if ('refusal' in answer) return { refusal: answer.refusal, reasons: [answer.refusal.reason] };
      const { code, reasons } = answer;
      return { refusal: { code, reason: reasons[0] ?? 'there is no credential' }, reasons };
    }
    default:
      return unreachable(answer);
  }
}
