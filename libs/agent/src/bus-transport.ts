/**
 * Over the bus, for who has access to Kafka anyway: an orchestrator that reads the credential topic for verdicts, an agent that reads
 * the delivery topic for answers. Only records signed by Mayfly's services count.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '#bus/bus.js';
import { unreachable } from '#events/unreachable.js';
import type { PeerKeys } from '#identity/records.js';
import { AgentError } from './agent-error.js';
import type { Answer, PendingCall, PendingRenewal } from './answer-book.js';
import { Answers } from './answers.js';
import { clockSkewHint } from './clock-skew.js';
import { Refused } from './refused.js';
import type { Letter, Patience, Renewed, TaskWord, Transport } from './transport.js';
import { reasonsOf, Verdicts } from './verdicts.js';
import type { Verdict } from './verdicts.js';

export interface BusTransportSettings {
  bus: Bus;
  /** Public keys of Mayfly's services. */
  peers: PeerKeys;
  /**
   * False where this one may not read the credential topic, as agents need not: then of a call that was turned away at the door one
   * only learns that no answer comes.
   */
  hearsVerdicts?: boolean;
  /** How long an answer may take before the call is sent again. */
  retryAfterMs?: number;
  clock?: () => number;
}

/** An end counts once the bus has it. Whether it is refused is worth waiting for; of a second end nothing is said. */
const END_REFUSED_WITHIN_MS = 2_000;
/** A rejection that may be of a forgery counts when no better verdict came in time; that must be before one gives up. */
const VERDICT_FIRST = 0.9;

export class BusTransport implements Transport {
  readonly #settings: BusTransportSettings;
  #verdicts: Promise<Verdicts> | undefined;
  #answers: Promise<Answers> | undefined;

  constructor(settings: BusTransportSettings) {
    this.#settings = settings;
  }

  async tell(type: TaskWord, _taskId: string, letter: Letter, { withinMs, signal }: Patience): Promise<void> {
    const verdicts = await this.#listenForVerdicts();
    signal?.throwIfAborted();
    const record = await letter();
    const waitMs = type === 'task.ended' ? Math.min(withinMs, END_REFUSED_WITHIN_MS) : withinMs;
    const verdict = verdicts.verdictOn(record.headers.ce_id ?? '', waitMs);
    verdict.catch(() => undefined);
    await this.#settings.bus.publish([record]);
    const said = await orAborted(verdict, signal).catch((error: unknown) => {
      if (type === 'task.ended' && isTimeout(error)) return undefined;
      throw error;
    });
    if (said !== undefined) this.#demandTaken(said);
  }

  async ask(call: PendingCall, letter: Letter, patience: Patience): Promise<string> {
    const answers = await this.#listenForAnswers();
    return envelopeIn(
      await this.#tellUntilAnswered(() => answers.answerOf(call, patience.withinMs), letter, patience),
      call.callId,
    );
  }

  async renew(renewal: PendingRenewal, letter: Letter, patience: Patience): Promise<Renewed> {
    const answers = await this.#listenForAnswers();
    const answer = await this.#tellUntilAnswered(
      () => answers.renewalOf(renewal, patience.withinMs),
      letter,
      patience,
    );
    return answer.answer === 'renewed'
      ? { notAfter: answer.notAfter }
      : { envelope: envelopeIn(answer, renewal.callId) };
  }

  async #tellUntilAnswered<A extends object>(
    answerOf: () => Promise<A>,
    letter: Letter,
    { withinMs, signal }: Patience,
  ): Promise<A> {
    const { retryAfterMs = 5_000, hearsVerdicts = true } = this.#settings;
    const verdicts = hearsVerdicts ? await this.#listenForVerdicts() : undefined;
    // Outlives the attempts, so that an answer to any of them counts.
    const answered = answerOf();
    let refused: Refused | undefined;
    const untilMs = performance.now() + withinMs;
    for (;;) {
      signal?.throwIfAborted();
      const record = await letter();
      // What was turned away at the door has no answer on the delivery topic.
      const turnedAway = verdicts
        ?.verdictOn(record.headers.ce_id ?? '', Math.max(1, VERDICT_FIRST * (untilMs - performance.now())))
        .then((verdict) => this.#demandTaken(verdict));
      turnedAway?.catch((error: unknown) => {
        if (error instanceof Refused) refused = error;
      });
      await this.#settings.bus.publish([record]);
      const pause = new AbortController();
      const first = await orAborted(
        Promise.race([
          answered,
          ...(turnedAway === undefined ? [] : [turnedAway.then(() => answered, unlessTimeout(answered))]),
          sleep(retryAfterMs, undefined, { signal: pause.signal }).catch(() => undefined),
        ]),
        signal,
      )
        // An attempt may have been turned away, and the next one be too late to hear of it.
        .catch((error: unknown) => {
          throw isTimeout(error) ? (refused ?? error) : error;
        })
        .finally(() => pause.abort());
      if (first !== undefined) return first;
    }
  }

  /** The bus stays open: whoever opened it closes it. */
  async close(): Promise<void> {
    const open = await Promise.allSettled([this.#verdicts, this.#answers]);
    for (const listener of open) if (listener.status === 'fulfilled') await listener.value?.close();
  }

  #demandTaken({ type, data }: Verdict): void {
    const { clock = Date.now } = this.#settings;
    if (type === 'event.rejected' || type === 'task.refused' || type === 'task.amendment_refused')
      throw new Refused(data.code, reasonsOf(data), clockSkewHint(data.code, null, clock()));
  }

  #listenForVerdicts(): Promise<Verdicts> {
    return (this.#verdicts ??= Verdicts.listen(this.#settings.bus, this.#settings.peers));
  }

  #listenForAnswers(): Promise<Answers> {
    return (this.#answers ??= Answers.listen(this.#settings));
  }
}

const isTimeout = (error: unknown) => error instanceof AgentError && error.code === 'ERR_ANSWER_TIMEOUT';

/** No verdict is no news: the answer may still come. */
const unlessTimeout =
  <A>(answered: Promise<A>) =>
  (error: unknown): Promise<A> => {
    if (isTimeout(error)) return answered;
    throw error;
  };

function envelopeIn(answer: Answer, callId: string): string {
  switch (answer.answer) {
    case 'delivered':
      return answer.envelope;
    case 'refused':
      throw new Refused(answer.code, answer.reasons);
    case 'pending':
      throw new AgentError('ERR_APPROVAL_PENDING', 'the call waits for an approval: ask again with its id', {
        callId,
        approval: answer.approval,
      });
    case 'void':
      throw new AgentError('ERR_CREDENTIAL_VOID', 'the lease had ended before its envelope came', {
        leaseId: answer.leaseId,
        cause: answer.cause,
      });
    default:
      return unreachable(answer);
  }
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  let stop = () => undefined as void;
  const aborted = new Promise<never>((_, reject) => {
    const abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    stop = () => signal.removeEventListener('abort', abort);
    if (signal.aborted) abort();
  });
  return Promise.race([work, aborted]).finally(stop);
}
