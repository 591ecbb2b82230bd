/** What calls and renewals find in the world that they are in. */
import type { Catalogue } from '../../src/catalogue.js';
import type { ToolCalled } from '../../src/inbound.js';
import type { Lease } from '../../src/lease.js';
import type { EventOf } from '../../src/outbound.js';
import type { Sender, Task, TaskEvent } from '../../src/task.js';
import type { Judge } from '../../src/verdict.js';
import type { Policy } from './family.js';
import type { Oracle } from './oracle.js';
import type { Told } from './revoker.js';

/** A lease in the broker's books. */
export interface Held {
  lease: Lease;
  intended: EventOf<'lease.intended'>;
  call: ToolCalled;
}

export interface Books {
  readonly nowMs: number;
  readonly policy: Policy;
  readonly judged: { catalogue: Catalogue; judge: Judge; nowMs: number };
  readonly oracle: Oracle;
  readonly held: ReadonlyMap<string, Held>;
  /** At the target: until when each principal may log in. */
  readonly principals: Map<string, number>;
  task(taskId: string): Task;
  ancestorsOf(task: Task): Task[];
  record(taskId: string, event: TaskEvent): void;
  tell(event: Told): void;
  lend(intended: EventOf<'lease.intended'>, call: ToolCalled, by: Sender): void;
  noteCut(leaseId: string): void;
}
