import { Controller, Get, Header, Inject, Query, Req, UseGuards } from '@nestjs/common';
import { AuditLog } from '../audit-log.js';
import type { CursorPlace } from '../query/cursor.js';
import type { Filter } from '../query/filter.js';
import { heldAt, type HeldAccess } from '../query/held-access.js';
import { instantMs } from '../query/instant.js';
import { readPage } from '../query/page.js';
import { readLeases } from '../query/read-leases.js';
import { seqAt, snapshotOfSize, type Snapshot } from '../query/snapshot.js';
import type { AccessPage } from './api-schemas.js';
import { asOfView } from './entry-view.js';
import { equal, limitOf, MAX_WINDOW_MS } from './list-query.js';
import { invalid, one, rejectUnknown, type Query as Parameters } from './parameters.js';
import { signed } from './problem.js';
import { ReadBy, ReaderGuard, type AdmittedRequest } from './reader.guard.js';

/** Of a lease; of `principal`, a person's own name or pseudonym. */
export const ACCESS_FILTERS = ['agent', 'principal', 'tool', 'dataset', 'target'] as const;
/** Looked at for one page. */
export const MAX_LEASES = 50;
/** How much later than it was written the entry of an issue may have come into the log, and still be looked at. */
const LATE_MS = 86_400_000;

interface AccessQuery {
  /** Undefined: the now of the first page. */
  atMs: number | undefined;
  wanted: Partial<Record<(typeof ACCESS_FILTERS)[number], string>>;
  limit: number;
  cursor: string | undefined;
  identity: string;
}

/** `GET /v1/access`: who could get at what, at an instant. */
@Controller('v1/access')
@UseGuards(ReaderGuard)
export class AccessController {
  constructor(@Inject(AuditLog) private readonly log: AuditLog) {}

  /** Leases issued in the 31 days before, the latest first; told as the log knew it at `as_of`. */
  @Get()
  @ReadBy('auditor', 'operator')
  @Header('Cache-Control', 'no-store')
  async held(@Query() query: Parameters, @Req() { admitted }: AdmittedRequest): Promise<AccessPage> {
    const asked = accessQuery(query);
    const { place, snapshot, atMs } = await this.#begin(asked, admitted.snapshot);
    const { pool } = this.log.db;
    const page = await readPage(
      pool,
      {
        ...{ filter: issuedTo(asked.wanted.agent), tenants: admitted.reader.tenants },
        ...{ first: place.first, end: place.after, order: 'desc', limit: asked.limit },
      },
      this.log.names,
    );
    const leases = await readLeases(pool, page.entries, snapshot.size);
    const held = leases.flatMap((lease) => heldAt(lease, atMs) ?? []);
    return {
      at: new Date(atMs).toISOString(),
      held: held.filter((each) => this.#isWanted(each, asked)),
      next:
        page.last === undefined
          ? null
          : this.log.cursors.seal({ ...place, after: page.last }, asked.identity),
      as_of: asOfView(snapshot),
    };
  }

  async #begin(
    { atMs, cursor, identity }: AccessQuery,
    newest: Snapshot | undefined,
  ): Promise<{ place: CursorPlace; snapshot: Snapshot; atMs: number }> {
    const { pool } = this.log.db;
    if (cursor !== undefined) {
      const place = this.log.cursors.open(cursor, identity);
      const snapshot = signed(await snapshotOfSize(pool, place.size));
      return { place, snapshot, atMs: atMs ?? Number(place.askedMs) };
    }
    const nowMs = Date.now();
    const snapshot = signed(newest);
    const { size } = snapshot;
    const first = await seqAt(pool, (atMs ?? nowMs) - MAX_WINDOW_MS, size);
    const end = await seqAt(pool, (atMs ?? nowMs) + LATE_MS, size);
    return {
      place: { after: end, size, first, end, askedMs: BigInt(nowMs) },
      ...{ snapshot, atMs: atMs ?? nowMs },
    };
  }

  /** The agent was asked of the log. */
  #isWanted(held: HeldAccess, { wanted }: AccessQuery): boolean {
    const { principal, agent: _asked, ...rest } = wanted;
    const { personOf } = this.log.names;
    if (principal !== undefined && ![principal, personOf(principal)].includes(held.principal ?? ''))
      return false;
    return Object.entries(rest).every(([name, value]) => held[name as keyof typeof rest] === value);
  }
}

function accessQuery(query: Parameters): AccessQuery {
  rejectUnknown(query, ['at', ...ACCESS_FILTERS, 'limit', 'after']);
  const at = one(query, 'at');
  const atMs = at === undefined ? undefined : instantMs(at);
  if (at !== undefined && atMs === undefined) throw invalid('at', 'must be a time of RFC 3339 with its zone');
  const wanted = Object.fromEntries(
    ACCESS_FILTERS.flatMap((name) => {
      const value = one(query, name);
      if (value !== undefined && !/^[^\p{Cc}\p{Cs}]{1,512}$/u.test(value))
        throw invalid(name, 'must be a name of at most 512 characters');
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return {
    ...{ atMs, wanted, cursor: one(query, 'after') },
    limit: limitOf(one(query, 'limit'), MAX_LEASES),
    identity: JSON.stringify(['access', at ?? null, wanted]),
  };
}

const issuedTo = (agent: string | undefined): Filter => ({
  kind: 'and',
  parts: [
    equal('type', 'lease.issued'),
    equal('service', 'broker'),
    ...(agent === undefined ? [] : [equal('agent', agent)]),
  ],
});
