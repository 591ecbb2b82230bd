/**
 * What a provider brings to the conformance kit: what its target can do, and a real one to do it at. How to write them:
 * docs/how-to/write-a-provider.md.
 */
import type { CreateAnswer, Credential, CredentialProvider, Plan } from '../provider.js';

/** What the target can do. It is held to exactly that: a case about anything else is none, rather than a skipped one. */
export interface TargetFeatures {
  /** A create asks a server, which may not answer. */
  asksServer: boolean;
  /** The target knows its principals: it lists them, and tells one that was never made from one that lives. */
  knowsPrincipals: boolean;
  /** A session goes on without a look at its login, and has to be ended. Otherwise each use is judged anew. */
  keepsSessions: boolean;
  /** A create after the cut is refused. */
  refusesLateCreate: boolean;
  /** False where a create cannot be held at the target (`harness.holdCreate`), though it refuses late ones: then only the wire holds it. */
  holdsCreate?: false;
  /**
   * A create after the cut makes a principal that lives until it is found and cut again (class `timed`). Where a late create is neither
   * refused nor found, what it makes is dead from the start.
   */
  findsLateCreate?: boolean;
  /** What plans may say, and what each lets an agent do: `act` of a session is tried with each of them. */
  rights?: readonly RightsCase[];
  /** `harness.wire`: the kit stands between adapter and target, counts what is said, and does to it what networks do. */
  wired?: boolean;
  /** `harness.restart`: what becomes of principals and fences when the target restarts. */
  restart?: 'keeps' | 'forgets';
  /** `harness.backUp`. */
  restores?: boolean;
}

export interface RightsCase {
  rights: string[];
  permits: readonly string[];
  forbids: readonly string[];
}

export interface ProviderHarness<C extends Credential = Credential> {
  /** Two adapters with a login each, as the broker's process and the revoker's have. */
  broker: CredentialProvider;
  revoker: CredentialProvider;
  /** The same kind, where nothing answers. */
  unreachable: CredentialProvider;
  /** A valid plan of a new lease. */
  plan(change?: Partial<Plan>): Plan;
  /** Rejects when the target refuses the login. */
  login(credential: C): Promise<AgentSession>;
  /** The principal whose credential it is. */
  principalIn(credential: C): string;
  /** Starts a create and holds it at the target, before it lands, until `release`. Where creates are refused late. */
  holdCreate?(plan: Plan): Promise<{ answer: Promise<CreateAnswer>; release: () => Promise<void> }>;
  wire?: WiredTarget;
  /** Ends the target and starts it again. Resolves once it answers. */
  restart?: () => Promise<void>;
  /** Resolves to what puts the target back to how it is now, and resolves once it answers again. */
  backUp?: () => Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export interface AgentSession {
  /** Something the plan's rights permit. Rejects when it cannot be done. */
  use(): Promise<unknown>;
  /** Something they do not permit. Rejects when it cannot be done. */
  overreach(): Promise<unknown>;
  /** One of the acts of `features.rights`. Rejects when it cannot be done. */
  act?(name: string): Promise<unknown>;
  /** What an agent would do at once to outlive its login. Rejects when it cannot be done. */
  escape?(): Promise<unknown>;
  close(): Promise<void>;
}

export type Process = 'broker' | 'revoker';

/** A target that is reached through a port, in clear: the kit's wire must find principals' names in what is said. */
export interface WiredTarget {
  host: string;
  port: number;
  /** The port of loopback that the target tells its clients, where it tells them one: there the wire listens. Otherwise any that is free. */
  listenOn?: number;
  /** The target as an operator writes it in `targets.yaml`, reached at this port of loopback, with the login of either process. */
  settings(process: Process, port: number): unknown;
}

/** How much of it. */
export interface Scale {
  /** Leases that live at once. */
  live: number;
  /** Cuts of a client that reconnects in a loop, and on how many connections it does. */
  trials: number;
  connections: number;
  /** Where a process is killed: after the first answer it waits for, or after each. */
  kills: 'first' | 'each';
}

/** As part of `npm test`. */
export const SMALL: Scale = { live: 100, trials: 5, connections: 12, kills: 'first' };
/** `npm run conformance`. */
export const WHOLE: Scale = { live: 1_000, trials: 250, connections: 12, kills: 'each' };
