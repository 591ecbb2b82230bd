/**
 * A provider makes and kills one kind of credential at a target. The contract is protocol rules 1, 4, 7 and 8:
 * `create` is strict and sent at most once; the broker creates and undoes nothing; only the revoker cuts;
 * a proof is an observation made after the target class's condition holds. Every adapter passes `provider.contract.ts`.
 */
import type { ProviderKind } from '#events/lease-plan.js';
import type { TokenPlan } from '#events/token-plan.js';
import type { Secret } from './secret.js';

/** What is to be made: pure data, deterministic, stored in `lease.intended`. It holds no secret. */
export interface Plan {
  leaseId: string;
  provider: ProviderKind;
  /** Id of the configured target. */
  target: string;
  /** The principal's name at the target: a function of the lease id, never used twice. */
  principal: string;
  /** Names at the target that carry the rights (for `postgres`: policy roles, for `jwt`: actions, for `redis`: selectors, for `kafka`: single ACLs). */
  rights: string[];
  /** The latest moment the create may be sent or land, RFC 3339. */
  createBy: string;
  /** End of the lease, RFC 3339. */
  notAfter: string;
  /** The latest moment the lease may ever be renewed to, RFC 3339. */
  hardEnd: string;
  /** What the token will say; for `jwt`. */
  token?: TokenPlan | undefined;
}

export type { ProviderKind };

/** `fenced`: the target refuses a create after a cut. `timed`, `unrecallable`: docs/design/protocol. */
export type FencingClass = 'fenced' | 'timed' | 'unrecallable';

/** What else a provider can do, and what its acts really do at the target: docs/reference/revocation.md. */
export interface Capabilities {
  /** Who names the principal. What the target names cannot be found again when its answer is lost. */
  naming: 'by_lease' | 'by_target';
  /** What the target itself stops at the end of the lease, should no cut come: the dead-man's switch. */
  expiry: 'every_use' | 'new_logins' | 'nothing';
  /** What a cut does to a session that is open: ends it, has its next use refused, or leaves it until the credential expires. */
  cut: 'ends_sessions' | 'refuses_next_use' | 'new_logins_only' | 'at_expiry';
  /** The target lists its principals: a sweep finds orphans there. */
  list: boolean;
  renew: boolean;
  /** What a cut leaves to be dropped. Where that is nothing, a clean only looks, and follows at once. Absent: a principal. */
  leaves?: 'nothing';
  /** How long a lease can be at this target. */
  ttl: { minMs: number; maxMs: number };
}

/** What an agent needs, as sealed into the envelope. Contains the secret: never log, never store in clear. */
export type Credential = PostgresCredential | JwtCredential | RedisCredential | KafkaCredential;

export interface PostgresCredential {
  kind: 'postgres';
  connection: {
    host: string;
    port: number;
    database: string;
    user: string;
    password: Secret;
    tls: { mode: 'disable' | 'verify-full'; ca?: string };
  };
}

/** The token is the secret, and of use only with a proof by the agent's own key (RFC 9449). */
export interface JwtCredential {
  kind: 'jwt';
  token: Secret;
  dpop: true;
}

/** A SCRAM user of a Kafka cluster. */
export interface KafkaCredential {
  kind: 'kafka';
  connection: {
    /** `host:port` of some of its brokers. */
    brokers: string[];
    mechanism: 'scram-sha-256' | 'scram-sha-512';
    username: string;
    password: Secret;
    tls: { mode: 'disable' | 'verify-full'; ca?: string };
  };
}

export interface RedisCredential {
  kind: 'redis';
  connection: {
    /** The first of `nodes`. */
    host: string;
    port: number;
    nodes: { host: string; port: number }[];
    username: string;
    password: Secret;
    tls: { mode: 'disable' | 'verify-full'; ca?: string };
  };
}

export type CreateAnswer =
  | { answer: 'created'; credential: Credential; incarnation: string }
  /** The target said no, and nothing was made. */
  | { answer: 'refused'; code: string }
  /** Nobody knows: the create may have landed, or may land yet. */
  | { answer: 'none'; code: string };

export type RenewAnswer =
  /** What the agent has goes on; where it needs another for that, here it is. */
  | { answer: 'renewed'; credential?: Credential }
  /** The target said no: nothing is there that is enabled, or it is fenced, or over. */
  | { answer: 'refused'; code: string }
  /** Nobody knows. May be asked again: an end that has moved is not moved back. */
  | { answer: 'none'; code: string };

/** What was seen at the target. `unknown`: it could not be looked at. */
export interface Observation {
  state: 'absent' | 'disabled' | 'live' | 'unknown';
  sessions: number | null;
  atMs: number;
  /** Identifies the server's life: changes when it restarts or is restored. */
  incarnation: string;
  nodes: { seen: number; expected: number };
}

export interface CutReport {
  /** The last observation, made after the fence was set. */
  observation: Observation;
  /** Consecutive observations without access, made after the fence: a proof needs two. */
  emptyObservations: number;
  /** Backends ended by this cut. */
  sessionsEnded: number;
}

export interface CredentialProvider {
  readonly kind: ProviderKind;
  readonly fencing: FencingClass;
  readonly capabilities: Capabilities;
  /** The principal's name for a lease: deterministic, safe to quote. */
  principal(leaseId: string): string;
  /** Strict and sent at most once; never rejects. `signal` aborts only what is not yet sent. */
  create(plan: Plan): Promise<CreateAnswer>;
  /**
   * Moves the end of what is there and enabled; never creates, never enables, never widens, nothing after a cut (rule 8). Requires
   * `plan.notAfter` to be the present end: once that is over by the target's clock, it is refused. Never rejects.
   */
  renew(plan: Plan, notAfter: string): Promise<RenewAnswer>;
  /** Sets the fence, takes the login away, ends sessions, looks until two observations are empty or its patience ends. Idempotent. @throws ProviderError when the target cannot be reached. */
  cut(plan: Plan): Promise<CutReport>;
  /** Read-only. */
  observe(plan: Plan): Promise<Observation>;
  /** Drops what a cut left. Idempotent; absent is success. @throws ProviderError */
  clean(plan: Plan): Promise<Observation>;
  /** Principals of ours at the target, with the lease each belongs to. */
  list(): AsyncIterable<{ principal: string; leaseId: string }>;
  close(): Promise<void>;
}

export type ProviderErrorCode =
  'ERR_TARGET_UNREACHABLE' | 'ERR_TARGET_REFUSED' | 'ERR_TARGET_MISCONFIGURED' | 'ERR_PLAN_INVALID';

export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  constructor(
    readonly code: ProviderErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
