/** A Nest guard, for either HTTP platform: `@UseGuards(new MayflyGuard({ … }))`. */
import { HttpException, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { answerTo, checkRequest, type PresentedRequest, type ProtectSettings } from './protect.js';
import type { Accepted } from './verifier.js';

export interface NestRequest extends PresentedRequest {
  originalUrl: string;
  /** Set for whoever comes after. */
  mayfly?: Accepted;
}
/** Express has `setHeader`, Fastify `header`. */
interface NestResponse {
  setHeader?(name: string, value: string): unknown;
  header?(name: string, value: string): unknown;
}

@Injectable()
export class MayflyGuard<Request extends NestRequest = NestRequest> implements CanActivate {
  constructor(private readonly settings: ProtectSettings<Request>) {}

  /** @throws HttpException for a refused request, with problem+json as its body. */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    const verdict = await checkRequest(this.settings, request, request, request.originalUrl);
    if (verdict.ok) {
      request.mayfly = verdict;
      return true;
    }
    const { status, headers, problem } = answerTo(verdict);
    const response = context.switchToHttp().getResponse<NestResponse>();
    for (const [name, value] of Object.entries(headers)) {
      if (response.setHeader !== undefined) response.setHeader(name, value);
      else response.header?.(name, value);
    }
    throw new HttpException(problem, status);
  }
}
