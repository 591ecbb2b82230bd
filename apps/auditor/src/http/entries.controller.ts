import { Controller, Get, Header, Inject, Param, Query, UseGuards } from '@nestjs/common';
import { formatTlogProof } from '#merkle/tlog-proof.js';
import { parseNote } from '#merkle/note.js';
import { parseCheckpointText } from '#merkle/checkpoint.js';
import { AuditLog } from '../audit-log.js';
import { listEntries, readEntry, readPayloads, type StoredEntry } from '../log/entries.js';
import { readInclusionProof } from '../log/nodes.js';
import { readCheckpoint } from '../log/sign-head.js';
import { entryDetail, entryView, type EntryDetail, type EntryView } from './entry-view.js';
import { entryFilter, rejectUnknown, seqOf } from './parameters.js';
import { ProblemError } from './problem.js';
import { ReaderGuard } from './reader.guard.js';

interface EntryPage {
  entries: EntryView[];
  /** Give it as `after` for the next page; null after the last one so far. */
  next: number | null;
}

/** `GET /v1/entries…`: the log, entry by entry. */
@Controller('v1/entries')
@UseGuards(ReaderGuard)
export class EntriesController {
  constructor(@Inject(AuditLog) private readonly log: AuditLog) {}

  /** Filters `taskId`, `type`; pages by `after` (exclusive) and `limit` (1 to 500). */
  @Get()
  @Header('Cache-Control', 'no-store')
  async list(@Query() query: Record<string, unknown>): Promise<EntryPage> {
    const filter = entryFilter(query);
    const rows = await listEntries(this.log.db.pool, filter);
    const last = rows.at(-1);
    const isFull = last !== undefined && rows.length === filter.limit;
    return { entries: rows.map(entryView), next: isFull ? Number(last.seq) : null };
  }

  @Get(':seq')
  @Header('Cache-Control', 'no-store')
  async read(@Param('seq') seq: string, @Query() query: Record<string, unknown>): Promise<EntryDetail> {
    rejectUnknown(query, []);
    const entry = await this.#entry(seq);
    const payloads = await readPayloads(this.log.db.pool, [entry.seq]);
    return entryDetail(entry, payloads.get(entry.seq));
  }

  /** C2SP tlog-proof against the newest checkpoint. 503 until a checkpoint covers the entry: about a second. */
  @Get(':seq/proof')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @Header('Cache-Control', 'no-store')
  async prove(@Param('seq') seq: string, @Query() query: Record<string, unknown>): Promise<string> {
    rejectUnknown(query, []);
    const { seq: index } = await this.#entry(seq);
    const checkpoint = await readCheckpoint(this.log.db.pool);
    if (checkpoint === undefined) throw new ProblemError('ERR_NO_CHECKPOINT', 'no checkpoint is signed yet');
    const { size } = parseCheckpointText(parseNote(checkpoint.note).text);
    if (index >= size) throw new ProblemError('ERR_ENTRY_NOT_COVERED', 'no checkpoint covers the entry yet');
    const proof = await readInclusionProof(this.log.db.pool, index, size);
    return formatTlogProof({ index, proof, checkpoint: checkpoint.note });
  }

  async #entry(seq: string): Promise<StoredEntry> {
    const entry = await readEntry(this.log.db.pool, seqOf(seq));
    if (entry === undefined) throw new ProblemError('ERR_ENTRY_NOT_FOUND', 'the log has no such entry');
    return entry;
  }
}
