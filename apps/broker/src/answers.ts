/** What became of an event, for those who say it over HTTP and wait. On the bus nobody waits: the sender reads the topics. */
import type { Refusal } from '#events/refusal.js';
import type { Task } from '#events/task.js';
import type { Call } from './call-rows.js';
import type { KnownRenewal } from './renewal-rows.js';

/** True once the transaction is committed that it came from. */
export type Answer =
  /** Its sender may not say this. Nothing has happened. */
  | { is: 'rejected'; refusal: Refusal }
  /** The task cannot be as it is declared. */
  | { is: 'refused'; refusal: Refusal }
  /** The task as it is now, and the call or the renewal where it is about one. */
  | { is: 'taken'; task: Task; call: Call | undefined; renewal?: KnownRenewal | undefined };
