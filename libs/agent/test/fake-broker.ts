/**
 * A broker that believes nobody it should not: what it is told is admitted as by the real one, and then answered as the spec says.
 * It keeps what it heard, and answers a call asked again as it did before.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BusRecord } from '#bus/bus.js';
import type { ToolCalled } from '#events/inbound.js';
import type { RefusalCode } from '#events/refusal.js';
import { DELIVERY } from '#events/topics.js';
import { admit, type Admitted } from '#identity/admit.js';
import { ensureDevelopmentTrust } from '#identity/development/development-trust.js';
import { sealCredential } from '#identity/seal.js';
import { loadTrust, type Trust } from '#identity/trust.js';
import { developmentIdentity } from '../src/development-identity.js';

export const ORCHESTRATOR = 'spiffe://dev.mayfly/orchestrator/sample';
export const PLANNER = 'spiffe://dev.mayfly/agent/planner';
export const EXECUTOR = 'spiffe://dev.mayfly/agent/executor';
export const TASK = '0192f0a0-0000-7000-8000-000000000001';
export const LEASE = '0192f0a0-0000-7000-8000-00000000000a';
export const NOT_AFTER = '2026-11-24T19:02:00.000Z';
export const RENEWED_TO = '2026-11-24T19:07:00.000Z';

const env = { MAYFLY_ENV: 'development' };

export type Outcome =
  | { is: 'taken' }
  | { is: 'refused'; code: RefusalCode; reasons: string[] }
  | { is: 'issued'; plaintext: object }
  /** `plaintext`: of what takes the place of the old credential. */
  | { is: 'renewed'; notAfter: string; plaintext?: object }
  /** It is done, and nobody hears of it. */
  | { is: 'lost' }
  /** Nothing is done. */
  | { is: 'busy' };

export const refusal = (code: RefusalCode, ...reasons: string[]): Outcome => ({
  is: 'refused',
  code,
  reasons,
});
export const POSTGRES = {
  kind: 'postgres',
  leaseId: LEASE,
  notAfter: NOT_AFTER,
  connection: {
    host: '127.0.0.1',
    port: 7433,
    database: 'shop',
    user: 'kdev0192',
    password: 'correct-horse',
    tls: { mode: 'disable' },
  },
};

export class FakeBroker {
  /** What was authentic, in the order in which it came. */
  readonly heard: Admitted[] = [];
  /** What becomes of the next events, in turn; then starts and ends are taken, calls get `credential`, and leases are renewed. */
  next: Outcome[] = [];
  credential: object = POSTGRES;
  readonly #trust: Trust;
  readonly #envelopes = new Map<string, string>();
  #called: Admitted | undefined;

  private constructor(
    readonly stateDir: string,
    trust: Trust,
  ) {
    this.#trust = trust;
  }

  static async open(): Promise<FakeBroker> {
    const stateDir = await mkdtemp(join(tmpdir(), 'fake-broker-'));
    const { bundleFile } = await ensureDevelopmentTrust(stateDir, 'dev.mayfly', env);
    const issuer = {
      type: 'spiffe',
      trustDomain: 'dev.mayfly',
      bundle: bundleFile,
      audience: 'mayfly',
      development: true,
    } as const;
    return new FakeBroker(stateDir, await loadTrust([issuer], 'development'));
  }

  identity = (id: string) => developmentIdentity(id, { stateDir: this.stateDir, env });

  heardOf(type: Admitted['event']['type']): Admitted[] {
    return this.heard.filter(({ event }) => event.type === type);
  }

  /** @returns the outcome, and the event it is of, if it was authentic. */
  take(record: BusRecord): { outcome: Outcome; admitted?: Admitted } {
    const said = admit(record, this.#trust);
    if (!said.ok) return { outcome: refusal(said.refusal.code, said.refusal.reason) };
    const { admitted } = said;
    this.heard.push(admitted);
    if (admitted.event.type === 'tool.called') this.#called = admitted;
    const usual = USUAL[admitted.event.type]?.(this) ?? { is: 'taken' };
    return { outcome: this.next.shift() ?? usual, admitted };
  }

  /** The same bytes each time. */
  envelope({ event, sender }: Admitted, plaintext: object): string {
    const { taskId, callId, sealTo } = event.data as ToolCalled;
    const sealed =
      this.#envelopes.get(callId) ??
      sealCredential({
        sealTo,
        plaintext,
        lease: { leaseId: LEASE, taskId, callId, agent: sender, topic: DELIVERY },
      });
    this.#envelopes.set(callId, sealed);
    return sealed;
  }

  /** For the last call. */
  renewedEnvelope(plaintext: object): string {
    if (this.#called === undefined) throw new TypeError('nothing was called');
    const { taskId, callId, sealTo } = this.#called.event.data as ToolCalled;
    const lease = { leaseId: LEASE, taskId, callId, agent: this.#called.sender, topic: DELIVERY };
    return sealCredential({ sealTo, plaintext, lease });
  }

  close(): Promise<void> {
    return rm(this.stateDir, { recursive: true, force: true });
  }
}

const USUAL: Partial<Record<Admitted['event']['type'], (broker: FakeBroker) => Outcome>> = {
  'tool.called': ({ credential }) => ({ is: 'issued', plaintext: credential }),
  'lease.renewal_requested': () => ({ is: 'renewed', notAfter: RENEWED_TO }),
};
