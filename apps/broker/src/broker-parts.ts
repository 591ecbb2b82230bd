/** What the broker's use cases work with; made once in `main.ts`. */
import type { Catalogue } from '#events/catalogue.js';
import type { ApprovalRules } from '#events/approval-facts.js';
import type { DriftRules } from '#events/drift.js';
import type { Judge } from '#events/verdict.js';
import type { Trust } from '#identity/trust.js';
import type { PeerKeys } from '#identity/records.js';
import type { CredentialProvider } from '#providers/provider.js';
import type { TargetFitness } from '#service/target-fitness.js';
import type { Database } from '#store/database.js';
import type { Relay } from '#store/relay.js';
import type { Log } from '#telemetry/log.js';
import type { AnswerBoard, RenewalBoard } from './answer-board.js';
import type { CreateBreakers } from './create-breakers.js';
import type { Measures } from './measures.js';
import type { Notifying } from './notifications/notifier.js';
import type { Tokens } from './tokens/open-tokens.js';

export interface BrokerParts {
  db: Database;
  relay: Relay;
  trust: Trust;
  peers: PeerKeys;
  catalogue: Catalogue;
  /** It and the catalogue become others, both at once, when their folders have changed: whoever decides takes both at once, and asks those everything. */
  judge: Judge;
  /** How people are asked. */
  approvals: ApprovalRules;
  /** What drift weighs, and when it is too much. */
  drift: DriftRules;
  /** How many ancestors a task may have. */
  maxDepth: number;
  /** By target. */
  providers: ReadonlyMap<string, CredentialProvider>;
  /** Which targets are spared creates for now. */
  breakers: CreateBreakers;
  /** Which of them nothing may be made at now. Absent: all are taken for fit. */
  fitness?: Pick<TargetFitness, 'unfit'>;
  /** Null: this broker makes no tokens. */
  tokens: Tokens | null;
  /** Who waits in this process for the outcome of a call. */
  board: AnswerBoard;
  /** And of a renewal. */
  renewals: RenewalBoard;
  /** Who is told outside the bus. */
  notifying: Notifying;
  /** This process; its claims are known dead when its database session is. */
  instanceId: string;
  log: Log;
  measures: Measures;
}
