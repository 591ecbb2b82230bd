/** Why somebody who asked over HTTP, and waited, did not get it. */
import { unreachable } from '#events/unreachable.js';
import type { CallAnswer } from './call-answer.js';
import type { refusalProblem } from './problems.js';
import type { RenewalAnswer } from './renewal-answer.js';

type NotGiven = Exclude<CallAnswer, { is: 'issued' }> | Exclude<RenewalAnswer, { is: 'renewed' }>;

/** Reasons as `call.refused` and `lease.renewal_refused` have them on the bus. */
export function refusalOf(answer: NotGiven): {
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
      return { refusal: { code, reason: reasons[0] ?? 'it was refused' }, reasons };
    }
    default:
      return unreachable(answer);
  }
}
