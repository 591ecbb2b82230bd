import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import { ProblemError } from '../http/problem.js';
import { StatusLists } from './status-lists.js';

const TYPE = 'application/statuslist+jwt';

interface Request {
  /** Express: the first of these types that `Accept` allows. */
  accepts(type: string): string | false;
  headers: { 'if-none-match'?: string };
}
interface Response {
  set(headers: Record<string, string>): Response;
  status(code: number): Response;
  end(): unknown;
  send(body: Buffer): unknown;
}

/** Public: whoever has a token may ask whether it lives, and the list does not tell which one was asked for. */
@Controller('status')
export class StatusListController {
  constructor(@Inject(StatusLists) private readonly lists: StatusLists) {}

  @Get(':list')
  async list(
    @Param('list') number: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    if (request.accepts(TYPE) === false)
      throw new ProblemError('ERR_NOT_ACCEPTABLE', 'status lists are JWTs only');
    const list = await this.lists.serve(number);
    if (list === null)
      throw new ProblemError('ERR_STATUS_LIST_NOT_FOUND', 'no token that may be good is in this list');
    response.set({ ETag: list.etag, 'Cache-Control': `public, max-age=${list.maxAgeS}`, Vary: 'Accept' });
    const known = request.headers['if-none-match']?.split(',').map((etag) => etag.trim().replace(/^W\//, ''));
    if (known?.includes(list.etag) === true) response.status(304).end();
    else response.set({ 'Content-Type': TYPE }).send(list.token);
  }
}
