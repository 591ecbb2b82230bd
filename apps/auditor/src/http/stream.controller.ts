import type { ServerResponse } from 'node:http';
import { Controller, Get, Inject, Query, Req, Res, UseGuards } from '@nestjs/common';
import { AuditLog } from '../audit-log.js';
import { follow } from '../query/follow.js';
import { readPage } from '../query/page.js';
import { asOfView, entryView } from './entry-view.js';
import { EventStream, ReaderGone } from './event-stream.js';
import { wantedFilter } from './list-query.js';
import { invalid, one, rejectUnknown, seqOf, type Query as Parameters } from './parameters.js';
import { ReaderGuard, type AdmittedRequest } from './reader.guard.js';
import { Readers } from './readers.js';
import { MAX_STREAM_MS, Streams } from './streams.js';

const PAGE = 100;

/** `GET /v1/stream`: the entries that a filter lets pass, as the log grows. */
@Controller('v1/stream')
@UseGuards(ReaderGuard)
export class StreamController {
  constructor(
    @Inject(AuditLog) private readonly log: AuditLog,
    @Inject(Readers) private readonly readers: Readers,
    @Inject(Streams) private readonly streams: Streams,
  ) {}

  /** From behind `after`, or `Last-Event-ID` of a reader that comes back; without either, from now on. */
  @Get()
  async stream(
    @Query() query: Parameters,
    @Req() request: AdmittedRequest,
    @Res() response: ServerResponse,
  ): Promise<void> {
    rejectUnknown(query, ['filter', 'taskId', 'type', 'after']);
    const filter = wantedFilter(query);
    const after = placeOf(query, request.headers['last-event-id']);
    const { reader, read, snapshot } = request.admitted;
    const first = after === undefined ? (snapshot?.size ?? 0n) : after + 1n;
    await this.streams.hold(reader.id, async () => {
      const events = new EventStream(response);
      const endMs = Date.now() + MAX_STREAM_MS;
      let next = first;
      try {
        await events.begin();
        await follow(
          first,
          {
            newest: () => this.streams.newest(),
            readPage: (from, end) =>
              readPage(
                this.log.db.pool,
                { filter, tenants: reader.tenants, first: from, end, order: 'asc', limit: PAGE },
                this.log.names,
              ),
            wait: async () => {
              await this.streams.wait();
              await events.beat();
            },
            mayGoOn: () => !this.streams.isEnding && Date.now() < endMs && this.readers.stillMay(reader),
            sink: {
              entry: (entry) => events.send('entry', entry.seq + 1n, entryView(entry)),
              head: (head, at) => events.send('as_of', at, asOfView(head)),
            },
          },
          (at) => (next = at),
        );
      } catch (error) {
        if (!(error instanceof ReaderGone)) throw error;
      } finally {
        events.end();
        // How far it got is not known before its end.
        if (next > first)
          await this.readers.ledger.record({ ...read, subject: String(next - 1n) }, Date.now());
      }
    });
  }
}

function placeOf(query: Parameters, lastEventId: string | string[] | undefined): bigint | undefined {
  if (lastEventId !== undefined) {
    if (typeof lastEventId !== 'string') throw invalid('Last-Event-ID', 'may be given once');
    return seqOf(lastEventId, 'Last-Event-ID');
  }
  const after = one(query, 'after');
  return after === undefined ? undefined : seqOf(after, 'after');
}
