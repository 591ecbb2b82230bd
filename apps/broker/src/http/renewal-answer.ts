/** A renewal asked for over HTTP: waits for what it comes to. */
import { unreachable } from '#events/unreachable.js';
import type { Answer } from '../answers.js';
import type { BrokerParts } from '../broker-parts.js';
import type { RenewalOutcome } from '../renewal-rows.js';
import type { refusalProblem } from './problems.js';

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

/** Why the lease was not renewed; reasons as `lease.renewal_refused` has them on the bus. */
export function refusalOfRenewal(answer: Exclude<RenewalAnswer, { is: 'renewed' }>): {
  refusal: Parameters<typeof refusalProblem>[0];
  reasons: readonly string[];
} {
  switch (answer.is) {
    case 'pending':
      return {
        refusal: { code: 'ERR_ANSWER_PENDING', reason: 'the outcome is not known yet: ask again' },
        reasons: [],
      };
    case 'rejected':
      return { refusal: answer.refusal, reasons: [answer.refusal.reason] };
    case 'refused': {
      if ('refusal' in answer) return { refusal: answer.refusal, reasons: [answer.refusal.reason] };
      const { code, reasons } = answer;
      return { refusal: { code, reason: reasons[0] ?? 'the lease was not renewed' }, reasons };
    }
    default:
      return unreachable(answer);
  }
}
