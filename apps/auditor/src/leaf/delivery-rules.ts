/** What of what agents and verifiers are told may stand in a leaf: as in `rules.ts`. */
import type { z } from 'zod';
import type { deliverySchemas, DeliveryType } from '#events/outbound.js';
import type { Rule, RuleFor } from './project.js';
import { renewalNoticeRules } from './renewal-rules.js';

export const deliveryRules: {
  readonly [T in DeliveryType]: RuleFor<z.infer<(typeof deliverySchemas)[T]>>;
} = {
  'lease.ended': { of: { taskId: 'plain', leaseId: 'plain', cause: 'plain' } },
  'call.refused': {
    of: { taskId: 'plain', callId: 'plain', agent: 'id', code: 'plain', reasons: 'sealed' },
  },
  ...renewalNoticeRules,
  'call.pending': {
    of: { taskId: 'plain', callId: 'plain', agent: 'id', approval: 'plain', expiresAt: 'plain' },
  },
};

/** The protected header of a sealed credential; the ciphertext itself is never kept. */
export const envelopeRule: Rule = {
  of: { taskId: 'plain', leaseId: 'plain', callId: 'plain', kid: 'plain', alg: 'plain', enc: 'plain' },
};

/** What the revoker says is dead, for verifiers. */
export const revocationRule: Rule = {
  of: {
    seq: 'plain',
    what: 'plain',
    id: 'plain',
    generationBelow: 'plain',
    notAfter: 'plain',
    reason: 'sealed',
  },
};
