/**
 * Waits on the delivery topic for the answers of calls. Listening begins before the call is published, so no answer is
 * missed; only records signed by Mayfly's services count.
 */
import type { Bus } from '#bus/bus.js';
import { DELIVERY } from '#events/topics.js';
import type { PeerKeys } from '#identity/records.js';
import { AgentError } from './agent-error.js';
import { AnswerBook } from './answer-book.js';
import type { Answer, Pending, PendingCall, PendingRenewal, RenewalAnswer } from './answer-book.js';
import { Tail } from './tail.js';

export class Answers {
  readonly #book = new AnswerBook();
  readonly #pending = new Set<(cause: Error) => void>();
  #tail: Tail | undefined;
  #lost: AgentError | undefined;

  private constructor() {}

  /** Resolves once reading has begun: what is published from now on will be seen. */
  static async listen(settings: { bus: Bus; peers: PeerKeys; topic?: string }): Promise<Answers> {
    const answers = new Answers();
    answers.#tail = await Tail.follow({
      bus: settings.bus,
      peers: settings.peers,
      topics: [settings.topic ?? DELIVERY],
      onRecord: (record) => answers.#book.take(record),
      onLost: (cause) => answers.#lose(cause),
    });
    return answers;
  }

  /**
   * The answer of one call. Ask before publishing the call; the promise is the one to await after it.
   * @param onPending told where the call waits for people, and then waited for; without, that is the answer
   * @throws AgentError ERR_ANSWER_TIMEOUT after `timeoutMs`; ERR_ANSWERS_LOST when the bus stopped or the listener was closed.
   */
  answerOf(call: PendingCall, timeoutMs: number, onPending?: (pending: Pending) => void): Promise<Answer> {
    return this.#answer((found) => this.#book.watch(call, found, onPending), timeoutMs);
  }

  /** The answer of one renewal. As with a call, ask before publishing it. @throws as `answerOf` */
  renewalOf(renewal: PendingRenewal, timeoutMs: number): Promise<RenewalAnswer> {
    return this.#answer((found) => this.#book.watchRenewal(renewal, found), timeoutMs);
  }

  #answer<A>(watch: (found: (answer: A) => void) => () => void, timeoutMs: number): Promise<A> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    const answer = new Promise<A>((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        this.#pending.delete(fail);
      };
      const unwatch = watch((found) => {
        done();
        resolve(found);
      });
      const fail = (cause: Error) => {
        done();
        unwatch();
        reject(cause);
      };
      const timer = setTimeout(
        () => fail(new AgentError('ERR_ANSWER_TIMEOUT', 'no answer came in time', { timeoutMs })),
        timeoutMs,
      );
      this.#pending.add(fail);
    });
    // If publishing fails, its caller never comes to await this one.
    answer.catch(() => undefined);
    return answer;
  }

  async close(): Promise<void> {
    this.#lose(new Error('the listener was closed'));
    await this.#tail?.close();
  }

  #lose(cause: Error): void {
    this.#lost ??= new AgentError('ERR_ANSWERS_LOST', 'listening for answers ended', {}, { cause });
    for (const fail of [...this.#pending]) fail(this.#lost);
  }
}
