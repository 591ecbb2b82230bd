import { Controller, Header, HttpCode, Inject, Post, Query, Req, UseGuards } from '@nestjs/common';
import { readBody } from '#service/read-body.js';
import { z } from 'zod';
import { AuditLog } from '../audit-log.js';
import { checkDecisions, type DecisionFindings, type KeptDecision } from '../log/check-decisions.js';
import { rejectUnknown } from './parameters.js';
import { ProblemError } from './problem.js';
import { ReaderGuard, type AdmittedRequest } from './reader.guard.js';

const MAX_DECISIONS = 500;
const MAX_BODY_BYTES = 2 * 2 ** 20;

export const keptDecisions = z.strictObject({
  decisions: z
    .array(z.strictObject({ id: z.string().max(64), data: z.record(z.string(), z.unknown()) }))
    .max(MAX_DECISIONS),
});

/** `POST /v1/decisions/check`: is what somebody keeps of decisions what the log has of them? */
@Controller('v1/decisions')
@UseGuards(ReaderGuard)
export class DecisionsController {
  constructor(@Inject(AuditLog) private readonly log: AuditLog) {}

  /** `{decisions: [{id, data}]}`: the `ce_id` and the data of `call.decided`, at most 500 of them. */
  @Post('check')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async check(
    @Query() query: Record<string, unknown>,
    @Req() request: AdmittedRequest,
  ): Promise<DecisionFindings> {
    rejectUnknown(query, []);
    // What somebody has not seen, they may not find out by asking whether it is so.
    if (request.admitted.reader.tenants !== undefined)
      throw new ProblemError('ERR_FORBIDDEN', 'decisions are compared for those who may read all tenants');
    const body = await readBody(request, MAX_BODY_BYTES, (code, detail) => new ProblemError(code, detail));
    return await checkDecisions(this.log.db.pool, decisionsIn(body), this.log.keys);
  }
}

/** @throws ProblemError ERR_BODY_INVALID */
function decisionsIn(body: Buffer): KeptDecision[] {
  try {
    return keptDecisions.parse(JSON.parse(body.toString('utf8'))).decisions;
  } catch {
    throw new ProblemError(
      'ERR_BODY_INVALID',
      'the body must be {"decisions": [{"id", "data"}]}, at most 500',
    );
  }
}
