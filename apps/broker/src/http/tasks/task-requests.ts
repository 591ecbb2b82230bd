/** Tasks over HTTP, as people see and stop them: how far they have drifted, and that they are suspended and resumed. */
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Catalogue, Role } from '#events/catalogue.js';
import { uuidV7 } from '#events/inbound.js';
import type { Refusal } from '#events/refusal.js';
import type { Task } from '#events/task.js';
import type { TaskOrder } from '#events/task-order.js';
import type { TaskDesk } from '../../task-desk.js';
import { refusalProblem, TransportError } from '../problems.js';
import { readBody } from '../read-body.js';
import { json, problemReply, type Reply } from '../reply.js';
import { answerSignedIn, type SignedInParts } from '../signed-in.js';
import { driftDocument } from './drift-document.js';

export interface TaskRequestsParts extends SignedInParts {
  desk: TaskDesk;
}

const MAX_BODY_BYTES = 4_096;
/** One line: it is shown to people, and kept. */
const body = z.strictObject({
  reason: z
    .string()
    .trim()
    .min(1)
    .max(1_024)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u),
});
const READERS: readonly Role[] = ['operator', 'approver', 'auditor'];

export class TaskRequests {
  constructor(private readonly given: TaskRequestsParts) {}

  drift(request: IncomingMessage, taskId: string): Promise<Reply> {
    return answerSignedIn(this.given, 'drift', request, async (id) => {
      const { parts, desk } = this.given;
      const view = await desk.drift(idOf(taskId), (task) => mayRead(id, task, parts.catalogue));
      return typeof view === 'string'
        ? problemReply(refusalProblem(NOT_SHOWN[view]))
        : json(200, driftDocument(view));
    });
  }

  order(request: IncomingMessage, taskId: string, is: TaskOrder['is']): Promise<Reply> {
    return answerSignedIn(this.given, is, request, async (by) => {
      const { reason } = await readOrder(request);
      const answer = await this.given.desk.order(idOf(taskId), { is, by, reason });
      if (answer.is === 'rejected') return problemReply(refusalProblem(answer.refusal));
      const { status: state, generation, suspendedFor } = answer.task;
      return json(200, { taskId, state, generation, suspendedFor, changed: answer.changed });
    });
  }
}

/** Not everything that a path can say may be asked of a table. */
const idOf = (text: string): string => (uuidV7.safeParse(text).success ? text : NO_TASK);
const NO_TASK = '';

const NOT_SHOWN: Record<'unknown' | 'hidden', Refusal> = {
  unknown: { code: 'ERR_TASK_UNKNOWN', reason: 'no such task was accepted' },
  hidden: {
    code: 'ERR_NOT_ENTITLED',
    reason: 'a task is shown to operators, approvers, auditors and the orchestrator that started it',
  },
};

const mayRead = (id: string, task: Task | null, { operators }: Catalogue): boolean =>
  operators.get(id)?.roles.some((role) => READERS.includes(role)) === true ||
  task?.declaration?.orchestrator === id;

async function readOrder(request: IncomingMessage): Promise<z.infer<typeof body>> {
  const read = body.safeParse(jsonOf(await readBody(request, MAX_BODY_BYTES)));
  if (!read.success) throw new TransportError('ERR_PARAMETER_INVALID', 'the body is a reason, and no more');
  return read.data;
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
