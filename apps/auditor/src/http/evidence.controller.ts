import { Controller, Get, Header, Inject, Param, Query, Req, UseGuards } from '@nestjs/common';
import { AuditLog } from '../audit-log.js';
import { evidenceRequest } from '../evidence/asked.js';
import { viewOf } from '../evidence/columns.js';
import { summarizeOutlived } from '../evidence/outlived-summary.js';
import {
  EVIDENCE,
  EVIDENCE_NAMES,
  evidenceRows,
  type EvidenceName,
  type EvidenceQuery,
} from '../evidence/queries.js';
import { readRoot } from '../log/nodes.js';
import { onProjections, readRows } from '../query/read-rows.js';
import type { EvidenceList, EvidencePage } from './evidence-schemas.js';
import { asOfView } from './entry-view.js';
import { rejectUnknown, type Query as Parameters } from './parameters.js';
import { ProblemError, signed } from './problem.js';
import { ReaderGuard, type AdmittedRequest } from './reader.guard.js';

/** `GET /v1/evidence`: questions that auditors ask again and again, answered out of what the log was projected to. */
@Controller('v1/evidence')
@UseGuards(ReaderGuard)
export class EvidenceController {
  constructor(@Inject(AuditLog) private readonly log: AuditLog) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  list(@Query() query: Parameters): EvidenceList {
    rejectUnknown(query, []);
    return {
      queries: EVIDENCE_NAMES.map((name) => ({
        name,
        question: EVIDENCE[name].question,
        parameters: EVIDENCE[name].takes.flatMap((each) => (each === 'window' ? ['from', 'to'] : [each])),
      })),
    };
  }

  /** The latest first, as of the head that is projected. */
  @Get(':query')
  @Header('Cache-Control', 'no-store')
  async answer(
    @Param('query') name: string,
    @Query() parameters: Parameters,
    @Req() { admitted }: AdmittedRequest,
  ): Promise<EvidencePage> {
    const query = queryOf(name);
    const { tenants } = admitted.reader;
    const request = evidenceRequest(name, query, parameters, this.log.names);
    signed(admitted.snapshot);
    const { cursors, db } = this.log;
    const cursor = request.cursor === undefined ? undefined : cursors.open(request.cursor, request.identity);
    const nowMs = cursor === undefined ? Date.now() : Number(cursor.askedMs);
    return await onProjections(db, async (tx, { next, longestMs }) => {
      const asked = request.asked({ nowMs, longestMs });
      const before = cursor && { at: cursor.first, seq: cursor.after };
      const rows = evidenceRows(query, asked, tenants, { limit: request.limit, before });
      const page = await readRows(tx, rows);
      const place = page.last && {
        ...{ first: page.last.at, after: page.last.seq },
        ...{ size: cursor?.size ?? next, end: 0n, askedMs: BigInt(nowMs) },
      };
      const withSummary = name === 'outlived' && cursor === undefined;
      return {
        ...{ query: name as EvidenceName, question: query.question },
        rows: page.rows.map((row) => viewOf(query.columns, row)),
        ...(withSummary ? { summary: await summarizeOutlived(tx, asked, tenants) } : {}),
        next: place === undefined ? null : cursors.seal(place, request.identity),
        as_of: asOfView({ size: next, root: await readRoot(tx, next) }),
      };
    });
  }
}

/** @throws ProblemError ERR_EVIDENCE_UNKNOWN */
function queryOf(name: string): EvidenceQuery {
  const found = EVIDENCE_NAMES.find((each) => each === name);
  if (found === undefined)
    throw new ProblemError('ERR_EVIDENCE_UNKNOWN', 'there is no such question', {
      known: EVIDENCE_NAMES.join(' '),
    });
  return EVIDENCE[found];
}
