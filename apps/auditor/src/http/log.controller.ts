import { Controller, Get, Header, Inject, Query } from '@nestjs/common';
import { AuditLog } from '../audit-log.js';
import { newestSnapshot } from '../query/snapshot.js';
import { cosignedOf, headSeenBy } from './cosigned-answer.js';

/** `GET /log/…`: what everybody may see. It holds hashes and signatures only. */
@Controller('log')
export class LogController {
  constructor(@Inject(AuditLog) private readonly log: AuditLog) {}

  /** The newest signed head (C2SP tlog-checkpoint), or the newest that so many witnesses cosigned. */
  @Get('checkpoint')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @Header('Cache-Control', 'no-cache')
  async checkpoint(@Query() query: Record<string, unknown>): Promise<string> {
    const { pool } = this.log.db;
    return (await headSeenBy(pool, cosignedOf(query), await newestSnapshot(pool))).note;
  }
}
