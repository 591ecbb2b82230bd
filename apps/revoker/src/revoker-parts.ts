/** What the revoker works with; made once in `open-parts.ts`. */
import type { Catalogue } from '#events/catalogue.js';
import type { PeerKeys } from '#identity/records.js';
import type { Trust } from '#identity/trust.js';
import type { CredentialProvider } from '#providers/provider.js';
import type { Database } from '#store/database.js';
import type { QueuedRecord } from '#store/outbox.js';
import type { Log } from '#telemetry/log.js';
import type { Measures } from './measures.js';
import type { StatusLists } from './status/status-lists.js';

export interface RevokerParts {
  db: Database;
  /** Hands committed records to the relay. Until the bus is reached they stay in the outbox, and the relay finds them there. */
  send: (records: readonly QueuedRecord[]) => void;
  trust: Trust;
  peers: PeerKeys;
  /** Another one once its folder has changed. */
  catalogue: Catalogue;
  /** By target. */
  providers: ReadonlyMap<string, CredentialProvider>;
  /** What those without the bus are told. */
  lists: StatusLists;
  /** How far the clocks of services and targets may be apart. */
  maxClockSkewMs: number;
  /** This process; its claims are known dead when its database session is. */
  instanceId: string;
  measures: Measures;
  log: Log;
}
