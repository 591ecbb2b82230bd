/**
 * Operators over HTTP. Who asks is verified here, by the revoker itself: the kill path does not wait for the issuing path. Orders are given by
 * people who have signed in; services with a role may look.
 */
import type { IncomingMessage } from 'node:http';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { Role } from '#events/catalogue.js';
import { uuidV7 } from '#events/inbound.js';
import type { OrderScope } from '#events/order-events.js';
import { verifyCaller } from '#identity/caller.js';
import { readBody, type BodyErrorCode } from '#service/read-body.js';
import { ProblemError } from '../http/problem.js';
import type { RevokerParts } from '../revoker-parts.js';
import { LEASE_STATES, type ShownLease } from './lease-list.js';
import type { OrderDesk } from './order-desk.js';
import type { OrderReport } from './order-report.js';
import { Tries } from './tries.js';

export interface OrderRequestsParts {
  parts: Pick<RevokerParts, 'trust' | 'catalogue' | 'measures'>;
  desk: OrderDesk;
  isPrivate: (request: IncomingMessage) => boolean;
}

const MAX_BODY_BYTES = 4_096;
const MAX_TOKEN_CHARS = 8_192;
const READERS: readonly Role[] = ['operator', 'auditor'];
const LEASES_MAX = 200;
const LEASES_SHOWN = 50;

/** Nothing that could be a sentence: it stands in the log as it is. */
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,255}$/);
/** One line: it is shown to people, and kept. */
const reason = z
  .string()
  .trim()
  .min(1)
  .max(1_024)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u);
const word = { reason, orderId: uuidV7.optional() };
const revokeBody = z.union([
  z.strictObject({ ...word, lease: uuidV7 }),
  z.strictObject({ ...word, task: uuidV7 }),
  z.strictObject({ ...word, agent: name }),
  z.strictObject({ ...word, target: name }),
  z.strictObject({ ...word, all: z.literal(true), confirm: z.boolean().optional() }),
]);
const reinstateBody = z.strictObject({ agent: name, reason });

const leasesQuery = z.strictObject({
  task: uuidV7.optional(),
  agent: name.optional(),
  target: name.optional(),
  state: z.enum(LEASE_STATES).optional(),
  after: uuidV7.optional(),
  limit: z
    .string()
    .regex(/^[1-9][0-9]{0,2}$/)
    .transform(Number)
    .pipe(z.int().max(LEASES_MAX))
    .optional(),
});

export class OrderRequests {
  readonly #tries = new Tries();

  constructor(private readonly given: OrderRequestsParts) {}

  async revoke(request: IncomingMessage): Promise<OrderReport> {
    const by = this.#speaker(request);
    const body = parsed(
      revokeBody,
      await bodyOf(request),
      'the body is a reason of one line, and what to revoke',
    );
    if ('all' in body && body.confirm !== true)
      throw new ProblemError('ERR_CONFIRMATION_MISSING', 'to revoke everything takes confirm: true');
    const { orderId = uuidv7() } = body;
    const answer = await this.given.desk.order({ orderId, ...scopeOf(body), by, reason: body.reason });
    if (answer.is === 'refused') throw new ProblemError(answer.refusal.code, answer.refusal.reason);
    return answer.report;
  }

  async reinstate(request: IncomingMessage): Promise<object> {
    const by = this.#speaker(request);
    const body = parsed(
      reinstateBody,
      await bodyOf(request),
      'the body is an agent, and a reason of one line',
    );
    const answer = await this.given.desk.reinstate({ ...body, by });
    if (answer.is === 'refused') throw new ProblemError(answer.refusal.code, answer.refusal.reason);
    const { agent, agentGeneration, changed } = answer;
    return { agent, agentGeneration, changed };
  }

  async report(request: IncomingMessage, orderId: string): Promise<OrderReport> {
    this.#reader(request);
    const report = uuidV7.safeParse(orderId).success ? await this.given.desk.report(orderId) : null;
    if (report === null) throw new ProblemError('ERR_ORDER_UNKNOWN', 'there is no such order');
    return report;
  }

  async leases(
    request: IncomingMessage,
    query: unknown,
  ): Promise<{ leases: ShownLease[]; next?: string | undefined }> {
    this.#reader(request);
    const { limit = LEASES_SHOWN, ...wanted } = parsed(
      leasesQuery,
      query,
      'a parameter is unknown or not valid',
    );
    const leases = await this.given.desk.leases({ ...wanted, limit });
    const next = leases.length === limit ? leases.at(-1)?.leaseId : undefined;
    return { leases, ...(next === undefined ? {} : { next }) };
  }

  /** Whoever orders: authenticated; whether they may is decided, and recorded, with the order. */
  #speaker(request: IncomingMessage): string {
    const id = this.#caller(request);
    if (!this.#tries.take(id, Date.now()))
      throw this.#refused('ERR_RATE_LIMITED', 'too many orders of this caller');
    return id;
  }

  #reader(request: IncomingMessage): void {
    const id = this.#caller(request);
    const roles = this.given.parts.catalogue.operators.get(id)?.roles ?? [];
    if (!roles.some((role) => READERS.includes(role)))
      throw this.#refused('ERR_NOT_ENTITLED', 'leases and orders are shown to operators and auditors');
  }

  #caller(request: IncomingMessage): string {
    const { parts, isPrivate } = this.given;
    if (!isPrivate(request)) throw this.#refused('ERR_TLS_REQUIRED', 'tokens are taken over TLS alone');
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined || token.length > MAX_TOKEN_CHARS)
      throw this.#refused('ERR_UNAUTHENTICATED', 'the token of somebody who has signed in is needed');
    const caller = verifyCaller(token, parts.trust, Date.now());
    if (caller.ok) return caller.id;
    throw this.#refused('ERR_UNAUTHENTICATED', 'the token is refused', { reason: caller.refusal.code });
  }

  #refused(...problem: ConstructorParameters<typeof ProblemError>): ProblemError {
    this.given.parts.measures.orderRefusals.inc({ code: problem[0] });
    return new ProblemError(...problem);
  }
}

function scopeOf(body: z.infer<typeof revokeBody>): { scope: OrderScope; subject: string | null } {
  if ('lease' in body) return { scope: 'lease', subject: body.lease };
  if ('task' in body) return { scope: 'task', subject: body.task };
  if ('agent' in body) return { scope: 'agent', subject: body.agent };
  if ('target' in body) return { scope: 'target', subject: body.target };
  return { scope: 'all', subject: null };
}

function parsed<T>(schema: z.ZodType<T>, given: unknown, otherwise: string): T {
  const read = schema.safeParse(given);
  if (!read.success) throw new ProblemError('ERR_PARAMETER_INVALID', otherwise);
  return read.data;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const refused = (code: BodyErrorCode, detail: string) => new ProblemError(code, detail);
  const bytes = await readBody(request, MAX_BODY_BYTES, refused);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new ProblemError('ERR_BODY_INVALID', 'the body is no JSON');
  }
}
