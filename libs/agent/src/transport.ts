/** How an agent reaches Mayfly: a port of two verbs. Every adapter passes `transport.contract.ts`. */
import type { OutgoingRecord } from '#bus/bus.js';
import type { PendingCall } from './answer-book.js';

/** Called for each attempt, because a proof is good for 60 s. A call asked again is a new event about the same `callId`. */
export type Letter = () => Promise<OutgoingRecord>;

/** How long an answer may take, and who may lose patience before. */
export interface Patience {
  withinMs: number;
  signal?: AbortSignal | undefined;
}

/** What an orchestrator says of its task. */
export type TaskWord = 'task.started' | 'task.amended' | 'task.ended';

export interface Transport {
  /**
   * Tells of a task's start, amendment or end. Resolves once the broker has taken it.
   * @throws Refused; AgentError ERR_ANSWER_TIMEOUT when it is not known what became of it; the reason of `signal`
   */
  tell(type: TaskWord, taskId: string, letter: Letter, patience: Patience): Promise<void>;
  /**
   * Makes one call, again as long as no answer comes.
   * @returns the envelope, as it came
   * @throws Refused; AgentError ERR_APPROVAL_PENDING, ERR_CREDENTIAL_VOID, ERR_ANSWER_TIMEOUT; the reason of `signal`
   */
  ask(call: PendingCall, letter: Letter, patience: Patience): Promise<string>;
}
