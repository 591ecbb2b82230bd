import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { uuidV7 } from '#events/inbound.js';
import { Readers } from './readers.js';

interface Request {
  method: string;
  headers: { authorization?: string };
  params: Record<string, string | undefined>;
  query: Record<string, unknown>;
  route: { path: string };
}

/** Stands before every route that shows entries, so that no handler can forget to ask or to record. */
@Injectable()
export class ReaderGuard implements CanActivate {
  constructor(@Inject(Readers) private readonly readers: Readers) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { method, headers, params, query, route } = context.switchToHttp().getRequest<Request>();
    const task = params.taskId ?? query.taskId;
    await this.readers.admit(
      {
        authorization: headers.authorization,
        route: `${method}:${route.path}`,
        // Not validated yet: what is no number or id does not enter the record.
        subject: /^[0-9]{1,16}$/.test(params.seq ?? '') ? params.seq : undefined,
        taskId: typeof task === 'string' && uuidV7.safeParse(task).success ? task : undefined,
      },
      Date.now(),
    );
    return true;
  }
}
