/** Who may read the audit: authenticated, with a role in the catalogue, over a way that nobody else reads. */
import type { IncomingMessage } from 'node:http';
import type { Catalogue, Role } from '#events/catalogue.js';
import { verifyCaller } from '#identity/caller.js';
import type { Trust } from '#identity/trust.js';
import { Budgets, type Allowance } from './budgets.js';
import { ProblemError } from './problem.js';
import type { ReadLedger } from './read-ledger.js';

const MAX_TOKEN_CHARS = 8_192;

export interface ReadersParts {
  trust: Trust;
  /** As the catalogue has them now. */
  operators: () => Catalogue['operators'];
  isPrivate: (request: Pick<IncomingMessage, 'socket'>) => boolean;
  ledger: ReadLedger;
}

/** Who was let in, and as what. */
export interface Reader {
  /** A SPIFFE id, or a person who has signed in. */
  id: string;
  role: Role;
  /** Only entries of these tenants are shown; undefined: of all. */
  tenants: readonly string[] | undefined;
}

export class Readers {
  readonly #budgets = new Budgets();
  readonly ledger: ReadLedger;

  constructor(private readonly parts: ReadersParts) {
    this.ledger = parts.ledger;
  }

  /**
   * @param roles one of these is needed
   * @throws ProblemError ERR_TLS_REQUIRED, ERR_UNAUTHENTICATED, ERR_FORBIDDEN
   */
  admit(request: Pick<IncomingMessage, 'socket' | 'headers'>, roles: readonly Role[], nowMs: number): Reader {
    const id = this.#authenticate(request, nowMs);
    const reader = this.#asReader(id, roles);
    if (reader === undefined)
      throw new ProblemError('ERR_FORBIDDEN', 'the caller has no role in the catalogue that may read this');
    return reader;
  }

  /** Of somebody who was let in. */
  spend({ id }: Reader, nowMs: number): Allowance {
    return this.#budgets.spend(id, nowMs);
  }

  /** Does the catalogue still let them in, as what they were let in as? */
  stillMay({ id, role, tenants }: Reader): boolean {
    const now = this.#asReader(id, [role]);
    return now !== undefined && String(now.tenants) === String(tenants);
  }

  #asReader(id: string, roles: readonly Role[]): Reader | undefined {
    const operator = this.parts.operators().get(id);
    const role = roles.find((each) => operator?.roles.includes(each));
    return role === undefined ? undefined : { id, role, tenants: operator?.tenants };
  }

  #authenticate(request: Pick<IncomingMessage, 'socket' | 'headers'>, nowMs: number): string {
    if (!this.parts.isPrivate(request))
      throw new ProblemError('ERR_TLS_REQUIRED', 'tokens are taken over TLS alone');
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined || token.length > MAX_TOKEN_CHARS)
      throw new ProblemError(
        'ERR_UNAUTHENTICATED',
        'the token of somebody who has signed in, or a JWT-SVID, is needed',
      );
    const caller = verifyCaller(token, this.parts.trust, nowMs);
    if (caller.ok) return caller.id;
    throw new ProblemError('ERR_UNAUTHENTICATED', 'the bearer token is refused', {
      reason: caller.refusal.code,
    });
  }
}
