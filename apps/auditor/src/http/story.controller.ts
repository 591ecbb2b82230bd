import { Controller, Get, Header, Inject, Param, Query, UseGuards } from '@nestjs/common';
import { AuditLog } from '../audit-log.js';
import { readPayloads } from '../log/entries.js';
import { readTaskEntries } from '../story/task-entries.js';
import { tellStory, type Story } from '../story/story.js';
import { rejectUnknown, taskIdOf } from './parameters.js';
import { ProblemError } from './problem.js';
import { ReaderGuard } from './reader.guard.js';

/** `GET /v1/tasks/{id}/story`: what happened, in order, each step with its entry. */
@Controller('v1/tasks')
@UseGuards(ReaderGuard)
export class StoryController {
  constructor(@Inject(AuditLog) private readonly log: AuditLog) {}

  @Get(':taskId/story')
  @Header('Cache-Control', 'no-store')
  async story(@Param('taskId') id: string, @Query() query: Record<string, unknown>): Promise<Story> {
    rejectUnknown(query, []);
    const taskId = taskIdOf(id);
    const { entries, declarations, words, truncated } = await readTaskEntries(this.log.db.pool, taskId);
    if (entries.length === 0) throw new ProblemError('ERR_TASK_NOT_FOUND', 'the log knows no such task');
    const payloads = await readPayloads(this.log.db.pool, [...declarations, ...words]);
    return tellStory(taskId, entries, payloads, truncated);
  }
}
