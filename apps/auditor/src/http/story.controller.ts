import { Controller, Get, Header, Inject, Param, Query, Req, UseGuards } from '@nestjs/common';
import { AuditLog } from '../audit-log.js';
import { envelopeOf, readPayloads } from '../log/entries.js';
import { readRoot } from '../log/nodes.js';
import type { Snapshot } from '../query/snapshot.js';
import { readTaskEntries, type TaskEntry } from '../story/task-entries.js';
import { tellStory } from '../story/story.js';
import type { StoryView } from './api-schemas.js';
import { asOfView, isOfTenants } from './entry-view.js';
import { invalid, one, rejectUnknown, seqOf, taskIdOf } from './parameters.js';
import { ProblemError, signed } from './problem.js';
import { ReadBy, ReaderGuard, type AdmittedRequest } from './reader.guard.js';

/** `GET /v1/tasks/{id}/story`: what happened, in order, each step with its entry. */
@Controller('v1/tasks')
@UseGuards(ReaderGuard)
export class StoryController {
  constructor(@Inject(AuditLog) private readonly log: AuditLog) {}

  /** As the log had it at the newest signed head; with `at`, when it had so many entries. */
  @Get(':taskId/story')
  @ReadBy('auditor', 'operator')
  @Header('Cache-Control', 'no-store')
  async story(
    @Param('taskId') id: string,
    @Query() query: Record<string, unknown>,
    @Req() { admitted }: AdmittedRequest,
  ): Promise<StoryView> {
    rejectUnknown(query, ['at']);
    const taskId = taskIdOf(id);
    const head = await this.#headAt(one(query, 'at'), admitted.snapshot);
    const told = await readTaskEntries(this.log.db.pool, taskId, head.size);
    const { entries, declarations, words, truncated } = told;
    if (entries.length === 0 || !isTheirs(entries, admitted.reader.tenants))
      throw new ProblemError('ERR_TASK_NOT_FOUND', 'the log knows no such task');
    const payloads = await readPayloads(this.log.db.pool, [...declarations, ...words]);
    return { ...tellStory(taskId, entries, payloads, truncated), as_of: asOfView(head) };
  }

  async #headAt(
    at: string | undefined,
    newest: Snapshot | undefined,
  ): Promise<Pick<Snapshot, 'size' | 'root'>> {
    if (at === undefined) return signed(newest);
    const size = seqOf(at, 'at');
    if (size > signed(newest).size) throw invalid('at', 'must be a size that is signed');
    return { size, root: await readRoot(this.log.db.pool, size) };
  }
}

/** The broker says whose a task is. */
const isTheirs = (entries: readonly TaskEntry[], tenants: readonly string[] | undefined): boolean =>
  tenants === undefined ||
  entries.some((entry) => {
    const { type, service } = envelopeOf(entry.leaf);
    return (
      service === 'broker' &&
      typeof type === 'string' &&
      type.startsWith('task.') &&
      isOfTenants(entry, tenants)
    );
  });
