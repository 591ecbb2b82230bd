import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Role } from '#events/catalogue.js';
import { uuidV7 } from '#events/inbound.js';
import { AuditLog } from '../audit-log.js';
import { newestSnapshot, type Snapshot } from '../query/snapshot.js';
import type { AuditRead } from '../reads.js';
import { rateLimitHeaders } from './budgets.js';
import { ProblemError } from './problem.js';
import { Readers, type Reader } from './readers.js';

const ROLES = 'mayfly:roles';

/** Who may read a route; without it, auditors. */
export const ReadBy = (...roles: Role[]) => SetMetadata(ROLES, roles);

/** What a handler knows of whoever asks. */
export interface Admitted {
  reader: Reader;
  /** As it is recorded. */
  read: AuditRead;
  /** The newest head that was signed when it was asked; undefined before the first one. */
  snapshot: Snapshot | undefined;
}
export type AdmittedRequest = IncomingMessage & { admitted: Admitted };

/** As Express has it once a route was found. */
interface Request extends IncomingMessage {
  method: string;
  params: Record<string, string | undefined>;
  query: Record<string, unknown>;
  route: { path: string };
}

/** Stands before every route that shows entries, so that no handler can forget to ask or to record. */
@Injectable()
export class ReaderGuard implements CanActivate {
  constructor(
    @Inject(Readers) private readonly readers: Readers,
    @Inject(AuditLog) private readonly log: AuditLog,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request & AdmittedRequest>();
    const nowMs = Date.now();
    const roles = this.reflector.get<Role[] | undefined>(ROLES, context.getHandler()) ?? ['auditor'];
    const reader = this.readers.admit(request, roles, nowMs);
    const allowance = this.readers.spend(reader, nowMs);
    http
      .getResponse<{ set: (headers: Record<string, string>) => unknown }>()
      .set(rateLimitHeaders(allowance));
    if (!allowance.ok) throw new ProblemError('ERR_RATE_LIMITED', 'too many requests');
    const snapshot = await newestSnapshot(this.log.db.pool);
    const read = readOf(request, reader, snapshot);
    await this.readers.ledger.record(read, nowMs);
    request.admitted = { reader, read, snapshot };
    return true;
  }
}

function readOf(request: Request, { id, role }: Reader, snapshot: Snapshot | undefined): AuditRead {
  const { method, params, query, route } = request;
  const task = params.taskId ?? query.taskId;
  return {
    reader: id,
    role,
    route: `${method}:${route.path}`,
    // Not validated yet: what is no number or id does not enter the record.
    subject: /^[0-9]{1,16}$/.test(params.seq ?? '') ? params.seq : undefined,
    taskId: typeof task === 'string' && uuidV7.safeParse(task).success ? task : undefined,
    query: digestOf(query),
    asOf: snapshot?.size,
  };
}

/** Pages of one query are one query. */
const OF_THE_PAGE = ['after', 'limit', 'proof'];

function digestOf(query: Record<string, unknown>): string | undefined {
  const asked = Object.entries(query)
    .filter(([name]) => !OF_THE_PAGE.includes(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (asked.length === 0) return undefined;
  return `sha256:${createHash('sha256').update(JSON.stringify(asked)).digest('hex')}`;
}
