/** Who may read the audit, how often, and the record of it. */
import type { Catalogue } from '#events/catalogue.js';
import { verifyBearer } from '#identity/bearer.js';
import type { Trust } from '#identity/trust.js';
import type { Database } from '#store/database.js';
import type { QueuedRecord } from '#store/outbox.js';
import { recordRead } from '../reads.js';
import { ProblemError } from './problem.js';

const MAX_TOKEN_CHARS = 8_192;
/** Requests a reader may make at once, and how many come back each second. */
const BURST = 200;
const PER_SECOND = 50;

export interface ReadersParts {
  db: Database;
  trust: Trust;
  /** As the catalogue has them now. */
  operators: () => Catalogue['operators'];
  /** Publishes what was queued; what fails is sent later out of the outbox. */
  send: (queued: QueuedRecord[]) => void;
}

export interface ReadRequest {
  authorization: string | undefined;
  route: string;
  subject?: string | undefined;
  taskId?: string | undefined;
}

export class Readers {
  readonly #parts: ReadersParts;
  /** Holds known readers only, so the catalogue bounds it. */
  readonly #budgets = new Map<string, { left: number; atMs: number }>();

  constructor(parts: ReadersParts) {
    this.#parts = parts;
  }

  /**
   * Lets a request pass once its reader is authenticated, has the role, and the read is recorded.
   * @throws ProblemError ERR_UNAUTHENTICATED, ERR_FORBIDDEN, ERR_RATE_LIMITED
   */
  async admit(request: ReadRequest, nowMs: number): Promise<void> {
    const reader = this.#authenticate(request.authorization, nowMs);
    if (this.#parts.operators().get(reader)?.roles.includes('auditor') !== true)
      throw new ProblemError('ERR_FORBIDDEN', 'the caller is not an auditor of the catalogue');
    this.#spend(reader, nowMs);
    const { route, subject, taskId } = request;
    this.#parts.send(await recordRead(this.#parts.db, { reader, route, subject, taskId }, nowMs));
  }

  #authenticate(authorization: string | undefined, nowMs: number): string {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined || token.length > MAX_TOKEN_CHARS)
      throw new ProblemError('ERR_UNAUTHENTICATED', 'a JWT-SVID is needed as bearer token');
    const verified = verifyBearer(token, this.#parts.trust, nowMs);
    if (!verified.ok)
      throw new ProblemError('ERR_UNAUTHENTICATED', 'the bearer token is refused', {
        reason: verified.refusal.code,
      });
    return verified.id;
  }

  #spend(reader: string, nowMs: number): void {
    const budget = this.#budgets.get(reader) ?? { left: BURST, atMs: nowMs };
    const back = (Math.max(0, nowMs - budget.atMs) / 1_000) * PER_SECOND;
    const left = Math.min(BURST, budget.left + back) - 1;
    this.#budgets.set(reader, { left: Math.max(0, left), atMs: nowMs });
    if (left < 0) throw new ProblemError('ERR_RATE_LIMITED', 'too many requests');
  }
}
