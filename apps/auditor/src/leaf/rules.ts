/**
 * What of each event of ours may stand in a leaf. A new type does not compile until it is here; a new member of a type stays out
 * of the leaf until it is named. Free text is sealed; plain digests of texts that could be guessed are keyed again.
 */
import type { OutboundData, OutboundType } from '#events/outbound.js';
import { catalogueActivated } from './catalogue-rules.js';
import { declarationRefused, declared, lineage, toldDeclaration } from './declaration-rules.js';
import { driftSignalled, seenInCall } from './drift-rules.js';
import { letterParked, letterReleased } from './letter-rules.js';
import {
  agentReinstated,
  agentRevoked,
  orderRejected,
  revocationOrdered,
  revocationProven,
} from './order-rules.js';
import type { RuleFor } from './project.js';
import { accessRead } from './read-rules.js';
import { checks, renewalRefused, renewed } from './renewal-rules.js';
import { orphanCut, standingAccessFound, standingAccessGone, targetRestarted } from './survey-rules.js';

/** Of at most four. */
const act = {
  of: { sub: 'id', act: { of: { sub: 'id', act: { of: { sub: 'id', act: { of: { sub: 'id' } } } } } } },
} as const;

const common = {
  taskId: 'plain',
  generation: 'plain',
  tenant: 'plain',
  causedBy: 'plain',
  actor: 'id',
  at: 'plain',
} as const;

const ofApproval = { approvalId: 'plain', callId: 'plain', agent: 'id' } as const;

export const outboundRules: { readonly [T in OutboundType]: RuleFor<OutboundData<T>> } = {
  'event.rejected': {
    of: {
      ...common,
      code: 'plain',
      reason: 'sealed',
      fields: 'sealed',
      record: {
        of: {
          topic: 'plain',
          partition: 'plain',
          offset: 'plain',
          valueSha256: 'digest',
          ceId: 'plain',
          ceType: 'plain',
        },
      },
      sender: 'id',
      count: 'plain',
      last: { of: { offset: 'plain', valueSha256: 'digest' } },
    },
  },
  'task.accepted': {
    of: {
      ...common,
      ...toldDeclaration,
      principal: { of: { id: 'person', kind: 'plain', proved: 'plain' } },
      purpose: 'sealed',
      objectiveSha256: 'digest',
    },
  },
  'task.refused': { of: { ...common, ...declarationRefused } },
  'task.amended': {
    of: {
      ...common,
      ...toldDeclaration,
      bounds: 'id',
      agentsMayEnd: 'plain',
      delegable: declared,
      limits: { of: { maxCalls: 'plain', maxRows: 'plain', maxCallsPerMinute: 'plain' } },
      policies: { each: 'plain' },
      inputs: 'digest',
      cause: 'plain',
      rekeyed: 'id',
      reason: 'sealed',
    },
  },
  'task.amendment_refused': { of: { ...common, ...declarationRefused } },
  'task.suspended': { of: { ...common, cause: 'plain', reason: 'sealed' } },
  'task.resumed': { of: { ...common, cause: 'plain', reason: 'sealed' } },
  'task.revoked': { of: { ...common, orderId: 'plain', reason: 'sealed' } },
  'task.order_rejected': { of: { ...common, by: 'id', order: 'plain', code: 'plain', reason: 'sealed' } },
  'task.ended': { of: { ...common, outcome: 'plain' } },
  'call.decided': {
    of: {
      ...common,
      callId: 'plain',
      agent: 'id',
      tool: 'plain',
      dataset: 'plain',
      action: 'plain',
      decision: 'plain',
      code: 'plain',
      checks,
      policySet: 'plain',
      inputs: 'digest',
      obligations: { of: { ttlMs: 'plain', approval: 'plain' } },
      leaseId: 'plain',
      callDigest: 'digest',
      sealTo: 'plain',
      argumentsSha256: 'digest',
      promptCommitment: 'digest',
      ...seenInCall,
    },
  },
  'drift.signalled': { of: { ...common, ...driftSignalled } },
  'approval.requested': {
    of: {
      ...common,
      ...ofApproval,
      tool: 'plain',
      dataset: 'plain',
      action: 'plain',
      target: 'plain',
      callDigest: 'digest',
      policySet: 'plain',
      lineage,
      approval: 'plain',
      needed: 'plain',
      groups: { each: { each: 'plain' } },
      notBy: { each: 'person' },
      expiresAt: 'plain',
      binds: {
        of: { what: 'plain', argumentsSha256: 'digest', rights: { each: 'plain' }, seconds: 'plain' },
      },
      reasons: 'sealed',
    },
  },
  'approval.granted': {
    of: {
      ...common,
      ...ofApproval,
      by: 'id',
      reason: 'sealed',
      granted: 'plain',
      needed: 'plain',
      callDigest: 'digest',
    },
  },
  'approval.refused': { of: { ...common, ...ofApproval, by: 'id', reason: 'sealed' } },
  'approval.expired': { of: { ...common, ...ofApproval, why: 'plain' } },
  'approval.consumed': {
    of: { ...common, ...ofApproval, leaseId: 'plain', callDigest: 'digest', approvers: { each: 'person' } },
  },
  'approval.withdrawn': { of: { ...common, ...ofApproval, by: 'id', reason: 'sealed', leaseId: 'plain' } },
  'approval.answer_rejected': {
    of: { ...common, ...ofApproval, by: 'id', answer: 'plain', code: 'plain', reason: 'sealed' },
  },
  'break_glass.used': { of: { ...common, ...ofApproval, by: 'id', reason: 'sealed', callDigest: 'digest' } },
  'lease.intended': {
    of: {
      ...common,
      leaseId: 'plain',
      provider: 'plain',
      target: 'plain',
      principal: 'plain',
      rights: { each: 'plain' },
      createBy: 'plain',
      notAfter: 'plain',
      hardEnd: 'plain',
      callId: 'plain',
      agent: 'id',
      agentGeneration: 'plain',
      lineage,
      token: {
        of: {
          audience: 'plain',
          subject: 'person',
          agent: 'id',
          agentGeneration: 'plain',
          jkt: 'plain',
          task: 'plain',
          tool: 'plain',
          dataset: 'plain',
          actions: { each: 'plain' },
          lineage,
          act,
          argumentsSha256: 'digest',
          status: { of: { uri: 'plain', idx: 'plain' } },
        },
      },
    },
  },
  'lease.issued': {
    of: {
      ...common,
      leaseId: 'plain',
      callId: 'plain',
      agent: 'id',
      notAfter: 'plain',
      incarnation: 'plain',
    },
  },
  'lease.abandoned': {
    of: { ...common, leaseId: 'plain', callId: 'plain', answered: 'plain', why: 'sealed' },
  },
  'lease.revocation_requested': {
    of: { ...common, leaseId: 'plain', cause: 'plain', requestedAt: 'plain' },
  },
  'lease.access_cut': {
    of: {
      ...common,
      leaseId: 'plain',
      cause: 'plain',
      evidence: {
        of: {
          state: 'plain',
          sessionsEnded: 'plain',
          observations: 'plain',
          incarnation: 'plain',
          nodes: { of: { seen: 'plain', expected: 'plain' } },
        },
      },
      requestedAt: 'plain',
      cutAt: 'plain',
      exposureMs: 'plain',
    },
  },
  'lease.removed': { of: { ...common, leaseId: 'plain', cause: 'plain' } },
  'lease.revocation_unproven': {
    of: {
      ...common,
      leaseId: 'plain',
      cause: 'plain',
      attempts: 'plain',
      since: 'plain',
      exposureMs: 'plain',
      mayExistUntil: 'plain',
      code: 'plain',
    },
  },
  'lease.renewed': { of: { ...common, ...renewed } },
  'lease.renewal_refused': { of: { ...common, ...renewalRefused } },
  'lease.returned': { of: { ...common, leaseId: 'plain', agent: 'id' } },
  'lease.vanished': { of: { ...common, leaseId: 'plain' } },
  'revocation.ordered': { of: { ...common, ...revocationOrdered } },
  'revocation.proven': { of: { ...common, ...revocationProven } },
  'revocation.order_rejected': { of: { ...common, ...orderRejected } },
  'agent.revoked': { of: { ...common, ...agentRevoked } },
  'agent.reinstated': { of: { ...common, ...agentReinstated } },
  'dead_letter.parked': { of: { ...common, ...letterParked } },
  'dead_letter.released': { of: { ...common, ...letterReleased } },
  'orphan.found': { of: { ...common, leaseId: 'plain', target: 'plain', principal: 'plain' } },
  'orphan.cut': { of: { ...common, ...orphanCut } },
  'target.restarted': { of: { ...common, ...targetRestarted } },
  'standing_access.found': { of: { ...common, ...standingAccessFound } },
  'standing_access.gone': { of: { ...common, ...standingAccessGone } },
  'store.restored': { of: { ...common, service: 'plain', epoch: 'plain', swept: 'plain' } },
  'signing_key.rotated': {
    of: {
      ...common,
      service: 'plain',
      kid: 'plain',
      previous: 'plain',
      why: 'plain',
      by: 'id',
      compromised: 'plain',
    },
  },
  'target_account.rotated': {
    of: { ...common, service: 'plain', target: 'plain', account: 'plain', why: 'plain', by: 'id' },
  },
  'policy.activated': {
    of: {
      ...common,
      policySet: 'plain',
      previous: 'plain',
      added: { each: 'plain' },
      removed: { each: 'plain' },
      changed: { each: 'plain' },
      policies: 'plain',
      by: 'id',
    },
  },
  'catalogue.activated': { of: { ...common, ...catalogueActivated } },
  'access.read': { of: { ...common, ...accessRead } },
};
