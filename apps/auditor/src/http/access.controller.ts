import { Controller, Get, Header, Inject, Query, Req, UseGuards } from '@nestjs/common';
import { AuditLog } from '../audit-log.js';
import { readRoot } from '../log/nodes.js';
import { findHeld } from '../query/find-grants.js';
import { instantMs } from '../query/instant.js';
import { onProjections, type Place } from '../query/read-rows.js';
import type { AccessPage } from './api-schemas.js';
import { asOfView } from './entry-view.js';
import { limitOf } from './list-query.js';
import { invalid, one, rejectUnknown, type Query as Parameters } from './parameters.js';
import { signed } from './problem.js';
import { ReadBy, ReaderGuard, type AdmittedRequest } from './reader.guard.js';

/** Of a lease; of `principal`, a person's own name or pseudonym. */
export const ACCESS_FILTERS = ['agent', 'principal', 'tool', 'dataset', 'target'] as const;
/** In one page. */
export const MAX_LEASES = 50;

interface AccessQuery {
  /** Undefined: the now of the first page. */
  atMs: number | undefined;
  wanted: Partial<Record<(typeof ACCESS_FILTERS)[number], string>>;
  limit: number;
  cursor: string | undefined;
  identity: string;
}

/** Of all pages of one answer, and where this one begins. */
interface Begun {
  /** Of the log that the answer is of; undefined: as far as it is projected now. */
  size: bigint | undefined;
  askedMs: number;
  before: Place | undefined;
}

/** `GET /v1/access`: who could get at what, at an instant. */
@Controller('v1/access')
@UseGuards(ReaderGuard)
export class AccessController {
  constructor(@Inject(AuditLog) private readonly log: AuditLog) {}

  /** The latest first; told as the log knew it at `as_of`. */
  @Get()
  @ReadBy('auditor', 'operator')
  @Header('Cache-Control', 'no-store')
  async held(@Query() query: Parameters, @Req() { admitted }: AdmittedRequest): Promise<AccessPage> {
    const { wanted, limit, cursor, identity, atMs: askedFor } = accessQuery(query);
    signed(admitted.snapshot);
    const begun = this.#begin(cursor, identity);
    const atMs = askedFor ?? begun.askedMs;
    const { idOf, personOf } = this.log.names;
    return await onProjections(this.log.db, async (tx, { next, longestMs }) => {
      const size = begun.size ?? next;
      const { agent, principal, ...rest } = wanted;
      const { held, last } = await findHeld(tx, {
        ...{ atMs, size, longestMs, wanted: rest, limit, before: begun.before },
        // Whoever has a pseudonym already may ask by it.
        agent: agent === undefined || agent.startsWith('person:') ? agent : idOf(agent),
        principal: principal === undefined ? undefined : [principal, personOf(principal)],
        tenants: admitted.reader.tenants,
      });
      const place = last && {
        ...{ after: last.seq, first: last.at, end: 0n, size, askedMs: BigInt(begun.askedMs) },
      };
      return {
        ...{ at: new Date(atMs).toISOString(), held },
        next: place === undefined ? null : this.log.cursors.seal(place, identity),
        as_of: asOfView({ size, root: await readRoot(tx, size) }),
      };
    });
  }

  #begin(cursor: string | undefined, identity: string): Begun {
    if (cursor === undefined) return { size: undefined, askedMs: Date.now(), before: undefined };
    const { after, first, size, askedMs } = this.log.cursors.open(cursor, identity);
    return { size, askedMs: Number(askedMs), before: { at: first, seq: after } };
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
