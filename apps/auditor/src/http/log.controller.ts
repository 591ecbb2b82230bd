import { Controller, Get, Header, Inject } from '@nestjs/common';
import { AuditLog } from '../audit-log.js';
import { readCheckpoint } from '../log/checkpoints.js';
import { ProblemError } from './problem.js';

/** `GET /log/…`: what everybody may see. It holds hashes and signatures only. */
@Controller('log')
export class LogController {
  constructor(@Inject(AuditLog) private readonly log: AuditLog) {}

  /** The newest signed head (C2SP tlog-checkpoint). */
  @Get('checkpoint')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @Header('Cache-Control', 'no-cache')
  async checkpoint(): Promise<string> {
    const checkpoint = await readCheckpoint(this.log.db.pool);
    if (checkpoint === undefined) throw new ProblemError('ERR_NO_CHECKPOINT', 'no checkpoint is signed yet');
    return checkpoint.note;
  }
}
