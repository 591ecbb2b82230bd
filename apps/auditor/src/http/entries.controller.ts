import { Controller, Get, Header, Inject, Param, Query, Req, UseGuards } from '@nestjs/common';
import { toBase64 } from '#merkle/base64.js';
import { formatTlogProof } from '#merkle/tlog-proof.js';
import { AuditLog } from '../audit-log.js';
import { readEntry, readPayloads, type StoredEntry } from '../log/entries.js';
import { readInclusionProof, readInclusionProofs } from '../log/nodes.js';
import type { CursorPlace } from '../query/cursor.js';
import { readPage, type Page } from '../query/page.js';
import { seqAt, snapshotOfSize, type Snapshot } from '../query/snapshot.js';
import type { EntryDetail, EntryPage } from './api-schemas.js';
import { cosignedOf, headSeenBy } from './cosigned-answer.js';
import { asOfView, entryDetail, entryView, isOfTenants } from './entry-view.js';
import { listQuery, type ListQuery } from './list-query.js';
import { rejectUnknown, seqOf } from './parameters.js';
import { ProblemError, signed } from './problem.js';
import { ReaderGuard, type Admitted, type AdmittedRequest } from './reader.guard.js';

/** `GET /v1/entries…`: the log, entry by entry. */
@Controller('v1/entries')
@UseGuards(ReaderGuard)
export class EntriesController {
  constructor(@Inject(AuditLog) private readonly log: AuditLog) {}

  /** Entries that a filter lets pass, page by page, all of one signed head. */
  @Get()
  @Header('Cache-Control', 'no-store')
  async list(
    @Query() query: Record<string, unknown>,
    @Req() { admitted }: AdmittedRequest,
  ): Promise<EntryPage> {
    const nowMs = Date.now();
    const wanted = listQuery(query, nowMs);
    const { place, snapshot } = await this.#begin(wanted, admitted, nowMs);
    const page = await readPage(
      this.log.db.pool,
      { ...wanted, ...rest(place, wanted), tenants: admitted.reader.tenants },
      this.log.names,
    );
    return {
      entries: await this.#views(page, wanted, snapshot),
      next:
        page.last === undefined
          ? null
          : this.log.cursors.seal({ ...place, after: page.last }, wanted.identity),
      as_of: asOfView(snapshot),
      range: { first: Number(place.first), end: Number(place.end) },
      ...(wanted.proven ? { checkpoint: snapshot.note } : {}),
    };
  }

  @Get(':seq')
  @Header('Cache-Control', 'no-store')
  async read(
    @Param('seq') seq: string,
    @Query() query: Record<string, unknown>,
    @Req() { admitted }: AdmittedRequest,
  ): Promise<EntryDetail> {
    rejectUnknown(query, []);
    const entry = await this.#entry(seq, admitted);
    const payloads = await readPayloads(this.log.db.pool, [entry.seq]);
    return entryDetail(entry, payloads.get(entry.seq), admitted.snapshot);
  }

  /** C2SP tlog-proof against the newest checkpoint, or that of `cosigned`. 503 until a checkpoint covers the entry: about a second. */
  @Get(':seq/proof')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @Header('Cache-Control', 'no-store')
  async prove(
    @Param('seq') seq: string,
    @Query() query: Record<string, unknown>,
    @Req() { admitted }: AdmittedRequest,
  ): Promise<string> {
    rejectUnknown(query, ['cosigned']);
    const witnesses = cosignedOf(query);
    const { seq: index } = await this.#entry(seq, admitted);
    const { size, note } = await headSeenBy(this.log.db.pool, witnesses, admitted.snapshot);
    if (index >= size) throw new ProblemError('ERR_ENTRY_NOT_COVERED', 'no checkpoint covers the entry yet');
    const proof = await readInclusionProof(this.log.db.pool, index, size);
    return formatTlogProof({ index, proof, checkpoint: note });
  }

  /** Where the page begins: in the snapshot of its cursor, or anew in the newest one. @throws CursorError, ProblemError */
  async #begin(
    { after, identity, fromMs, toMs, order }: ListQuery,
    { snapshot: newest }: Admitted,
    nowMs: number,
  ): Promise<{ place: CursorPlace; snapshot: Snapshot }> {
    const { pool } = this.log.db;
    if (after !== undefined && 'cursor' in after) {
      const place = this.log.cursors.open(after.cursor, identity);
      return { place, snapshot: signed(await snapshotOfSize(pool, place.size)) };
    }
    const snapshot = signed(newest);
    const { size } = snapshot;
    const first = fromMs === undefined ? 0n : await seqAt(pool, fromMs, size);
    const end = toMs === undefined ? size : await seqAt(pool, toMs, size);
    const before = order === 'asc' ? first - 1n : end;
    return { place: { after: after?.seq ?? before, size, first, end, askedMs: BigInt(nowMs) }, snapshot };
  }

  async #views({ entries }: Page, { proven }: ListQuery, { size }: Snapshot): Promise<EntryPage['entries']> {
    if (!proven) return entries.map(entryView);
    const proofs = await readInclusionProofs(
      this.log.db.pool,
      entries.map(({ seq }) => seq),
      size,
    );
    return entries.map((entry, i) => ({ ...entryView(entry), proof: (proofs[i] ?? []).map(toBase64) }));
  }

  /** What of another tenant is there is as good as not there. */
  async #entry(seq: string, { reader }: Admitted): Promise<StoredEntry> {
    const entry = await readEntry(this.log.db.pool, seqOf(seq));
    if (entry === undefined || !isOfTenants(entry, reader.tenants))
      throw new ProblemError('ERR_ENTRY_NOT_FOUND', 'the log has no such entry');
    return entry;
  }
}

/** What of the range is left behind the last page. */
function rest({ after, first, end }: CursorPlace, { order }: ListQuery): { first: bigint; end: bigint } {
  if (order === 'asc') return { first: after + 1n > first ? after + 1n : first, end };
  return { first, end: after < end ? after : end };
}
