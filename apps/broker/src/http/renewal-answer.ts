/** A renewal asked for over HTTP: waits for what it comes to. */
import type { Answer } from '../answers.js';
import type { BrokerParts } from '../broker-parts.js';
import type { RenewalOutcome } from '../renewal-rows.js';

/** What an agent is told of its renewal. */
export type RenewalAnswer = Exclude<Answer, { is: 'taken' }> | RenewalOutcome | { is: 'pending' };

/** @param ask decides it. Whoever waits comes after it, for only then is it known for which one: its own, or one that is under way. */
export async function answerRenewal(
  { renewals }: Pick<BrokerParts, 'renewals'>,
  ask: () => Promise<Answer>,
  withinMs: number,
): Promise<RenewalAnswer> {
  const answer = await ask();
  if (answer.is !== 'taken') return answer;
  if (answer.renewal === undefined)
    return { is: 'refused', code: 'ERR_LEASE_ENDED', reasons: ['nothing of this lease is kept'] };
  if (answer.renewal.outcome !== null) return answer.renewal.outcome;
  const seat = renewals.seat(answer.renewal);
  try {
    return (await seat.outcome(withinMs)) ?? { is: 'pending' };
  } finally {
    seat.leave();
  }
}
