import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Controller, Inject, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { ExportHead } from '#bundle/bundle-draft.js';
import { entryLine, headLine } from '#bundle/export-lines.js';
import { toBase64 } from '#merkle/base64.js';
import { readBody } from '#service/read-body.js';
import { z } from 'zod';
import { AuditLog } from '../audit-log.js';
import { readRange, readRangeProof, type ExportedEntry, type ExportRange } from '../log/export-range.js';
import { headSeenBy, MAX_COSIGNED } from './cosigned-answer.js';
import { rejectUnknown } from './parameters.js';
import { ProblemError } from './problem.js';
import { ReaderGuard, type AdmittedRequest } from './reader.guard.js';
import { Streams } from './streams.js';

const MAX_BODY_BYTES = 4_096;
/** More are exported in several ranges. */
const MAX_ENTRIES = 10_000_000n;

const size = z.int().nonnegative();
export const exportRequest = z.strictObject({
  from: size.optional(),
  to: size.optional(),
  since: size.optional(),
  /** As of the newest head that so many witnesses cosigned. */
  cosigned: z.int().min(0).max(MAX_COSIGNED).optional(),
});

/** `POST /v1/exports`: a contiguous range of the log, whatever is in it, and what proves it. */
@Controller('v1/exports')
@UseGuards(ReaderGuard)
export class ExportsController {
  constructor(
    @Inject(AuditLog) private readonly log: AuditLog,
    @Inject(Streams) private readonly streams: Streams,
  ) {}

  /**
   * `{from?, to?, since?, cosigned?}`, of the newest signed head: all of it unless told. Answers with the lines of `export-lines.ts`: the head
   * with what proves the range, then each entry. It ends early before an entry that the log lacks.
   */
  @Post()
  async export(
    @Query() query: Record<string, unknown>,
    @Req() request: AdmittedRequest,
    @Res() response: ServerResponse,
  ): Promise<void> {
    rejectUnknown(query, []);
    const { reader, snapshot } = request.admitted;
    if (reader.tenants !== undefined)
      throw new ProblemError('ERR_FORBIDDEN', 'the log is exported for those who may read all tenants');
    const body = await readBody(request, MAX_BODY_BYTES, (code, detail) => new ProblemError(code, detail));
    const asked = requestIn(body);
    const { pool } = this.log.db;
    const { note, size: headSize } = await headSeenBy(pool, asked.cosigned ?? 0, snapshot);
    const range = rangeOf(asked, headSize);
    const { left, right, since } = await readRangeProof(pool, range);
    const head: ExportHead = {
      checkpoint: note,
      ...{ from: Number(range.from), to: Number(range.to) },
      proof: {
        ...{ left: left.map(toBase64), right: right.map(toBase64) },
        ...(since && { since: { size: Number(since.size), hashes: since.hashes.map(toBase64) } }),
      },
    };
    // It takes as long as its reader does, like a stream, and counts as one.
    await this.streams.hold(reader.id, async () => {
      response.statusCode = 200;
      response.setHeader('Content-Type', 'application/x-ndjson; charset=utf-8');
      response.setHeader('Cache-Control', 'no-store');
      const entries = readRange(pool, range);
      await pipeline(Readable.from(lines(head, entries)), response, { signal: this.streams.ending });
    });
  }
}

async function* lines(head: ExportHead, pages: AsyncIterable<ExportedEntry[]>): AsyncGenerator<Buffer> {
  yield headLine(head);
  for await (const page of pages)
    yield Buffer.concat(page.map(({ leaf, leafHash }) => entryLine(leaf, leafHash)));
}

/** @throws ProblemError ERR_BODY_INVALID */
function requestIn(body: Buffer): z.infer<typeof exportRequest> {
  try {
    return exportRequest.parse(JSON.parse(body.toString('utf8')));
  } catch {
    throw new ProblemError(
      'ERR_BODY_INVALID',
      'the body must be {"from"?, "to"?, "since"?, "cosigned"?}: sizes of the log, and a number of witnesses',
    );
  }
}

/** @throws ProblemError ERR_ENTRY_NOT_COVERED, ERR_PARAMETER_INVALID */
function rangeOf(asked: z.infer<typeof exportRequest>, headSize: bigint): ExportRange {
  const [from, to] = [BigInt(asked.from ?? 0), asked.to === undefined ? headSize : BigInt(asked.to)];
  const since = asked.since === undefined ? undefined : BigInt(asked.since);
  const invalid = (parameter: string, detail: string) =>
    new ProblemError('ERR_PARAMETER_INVALID', detail, { parameter });
  if (to > headSize || (since ?? 0n) > headSize)
    throw new ProblemError('ERR_ENTRY_NOT_COVERED', 'no checkpoint covers that much yet');
  if (from >= to) throw invalid('from', 'there is nothing in the range');
  if (to - from > MAX_ENTRIES) throw invalid('to', 'an export holds 10,000,000 entries at most');
  return { from, to, size: headSize, since };
}
