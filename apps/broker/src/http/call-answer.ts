/** A call made over HTTP: waits for what it comes to. */
import type { ToolCalled } from '#events/inbound.js';
import { transact } from '#store/database.js';
import type { Answer } from '../answers.js';
import type { BrokerParts } from '../broker-parts.js';
import { callOutcomes, type CallKey, type CallOutcome } from '../call-rows.js';

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
