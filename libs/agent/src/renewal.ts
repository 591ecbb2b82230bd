/** How a credential is renewed: its lease is to end later, the rest stays. Asked again, it is the same event, and renewed once. */
import { v7 as uuidV7 } from 'uuid';
import { anySignal } from '#events/any-signal.js';
import { AgentError } from './agent-error.js';
import type { PendingCall } from './answer-book.js';
import { openEnvelope, type OpenedJwt } from './open-envelope.js';
import type { SealKeyPair } from './seal-key.js';
import type { Speaker } from './speaker.js';
import type { Renewed, Transport } from './transport.js';

export interface RenewOptions {
  /** From now on; default: as long as was asked for at first. Mayfly may give less. */
  ttlMs?: number;
  /** Default: 30 s. */
  withinMs?: number;
  signal?: AbortSignal;
}
export type Renew<T> = (options: RenewOptions) => Promise<T>;

export interface RenewalParts {
  leaseId: string;
  /** That led to the lease, and the key that its envelopes are sealed to. */
  call: PendingCall;
  sealKey: SealKeyPair;
  agent: Speaker;
  transport: Transport;
  /** Aborted when the task is over. */
  signal: AbortSignal;
}

const WITHIN_MS = 30_000;

/** `ofEnd`: of what stays as it is. `ofToken`: of what is replaced. */
export const renewal = (parts: RenewalParts): { ofEnd: Renew<string>; ofToken: Renew<OpenedJwt> } => ({
  ofEnd: async (options) => {
    const renewed = await ask(parts, options);
    if ('notAfter' in renewed) return renewed.notAfter;
    throw new AgentError('ERR_BROKER_ANSWER', 'another credential came for one that stays', {
      leaseId: parts.leaseId,
    });
  },
  ofToken: async (options) => {
    const renewed = await ask(parts, options);
    const { call, leaseId, sealKey } = parts;
    if (!('envelope' in renewed))
      throw new AgentError('ERR_BROKER_ANSWER', 'no token came with the renewal', { leaseId });
    const opened = await openEnvelope(renewed.envelope, sealKey, call);
    if (opened.leaseId !== leaseId)
      throw new AgentError('ERR_ENVELOPE_MISMATCH', 'the envelope is of another lease', {
        member: 'leaseId',
      });
    if (opened.kind !== 'jwt')
      throw new AgentError('ERR_CREDENTIAL_KIND', 'a credential of another kind came', { kind: opened.kind });
    return opened;
  },
});

function ask(
  { leaseId, call, agent, transport, signal: over }: RenewalParts,
  { ttlMs, withinMs = WITHIN_MS, signal }: RenewOptions,
): Promise<Renewed> {
  const id = uuidV7();
  const data = { taskId: call.taskId, leaseId, ...(ttlMs === undefined ? {} : { ttlMs }) };
  return transport.renew(
    { ...call, leaseId },
    () => agent.sign({ type: 'lease.renewal_requested', data, id }),
    { withinMs, signal: signal === undefined ? over : anySignal(over, signal) },
  );
}
