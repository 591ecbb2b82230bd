/**
 * What became of an event one sent: the first signed record on the credential topic that names it. An orchestrator may
 * read that topic; an agent need not, for its calls are answered on the delivery topic.
 */
import type { Bus } from '#bus/bus.js';
import { shortType } from '#events/inbound.js';
import { isOutboundType, outboundSchemas } from '#events/outbound.js';
import type { EventOf, OutboundEvent } from '#events/outbound.js';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import type { PeerKeys } from '#identity/records.js';
import { AgentError } from './agent-error.js';
import { Tail } from './tail.js';
import type { SignedRecord } from './tail.js';

const VERDICTS = [
  'event.rejected',
  'task.accepted',
  'task.refused',
  'task.amended',
  'task.amendment_refused',
  'task.ended',
  'call.decided',
] as const;
export type Verdict = EventOf<(typeof VERDICTS)[number]>;

/** Why not: all that is wrong with a declaration, or the one reason there is. */
export const reasonsOf = (said: { reason: string; problems?: { reason: string }[] | undefined }): string[] =>
  said.problems?.map(({ reason }) => reason) ?? [said.reason];

interface Wait {
  wanted(event: OutboundEvent): boolean;
  resolve(event: OutboundEvent): void;
  reject(cause: Error): void;
}

export class Verdicts {
  readonly #waits = new Set<Wait>();
  #tail: Tail | undefined;

  private constructor() {}

  /** Resolves once reading has begun. */
  static async listen(bus: Bus, peers: PeerKeys): Promise<Verdicts> {
    const verdicts = new Verdicts();
    verdicts.#tail = await Tail.follow({
      bus,
      peers,
      topics: [CREDENTIAL_EVENTS],
      onRecord: (record) => verdicts.#take(record),
      onLost: (cause) => verdicts.#lose(cause),
    });
    return verdicts;
  }

  /**
   * The broker's verdict on the event with this `ce_id`. A rejection of an unknown sender may be of a forgery that only copied
   * the id, so it counts only where no other verdict comes in time.
   * @throws AgentError ERR_ANSWER_TIMEOUT
   */
  async verdictOn(ceId: string, withinMs: number): Promise<Verdict> {
    const about = (event: OutboundEvent): event is Verdict => isVerdict(event) && names(event, ceId);
    let doubtful: Verdict | undefined;
    this.first((event): event is Verdict => about(event) && !isCertain(event), withinMs).then(
      (event) => (doubtful = event),
      () => undefined,
    );
    try {
      return await this.first((event): event is Verdict => about(event) && isCertain(event), withinMs);
    } catch (error) {
      if (doubtful !== undefined) return doubtful;
      throw error;
    }
  }

  /** The first event from now on that is wanted. @throws AgentError ERR_ANSWER_TIMEOUT */
  first<E extends OutboundEvent>(wanted: (event: OutboundEvent) => event is E, withinMs: number): Promise<E> {
    const found = new Promise<OutboundEvent>((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#waits.delete(wait);
        act();
      };
      const wait: Wait = {
        wanted,
        resolve: (event) => settle(() => resolve(event)),
        reject: (cause) => settle(() => reject(cause)),
      };
      const timer = setTimeout(
        () => wait.reject(new AgentError('ERR_ANSWER_TIMEOUT', 'no verdict came in time', { withinMs })),
        withinMs,
      );
      this.#waits.add(wait);
    });
    // Not everybody who sends an event comes to ask for its verdict.
    found.catch(() => undefined);
    return found as Promise<E>;
  }

  async close(): Promise<void> {
    this.#lose(new Error('closed'));
    await this.#tail?.close();
  }

  #take(record: SignedRecord): void {
    const event = read(record);
    if (event === undefined) return;
    for (const wait of [...this.#waits]) if (wait.wanted(event)) wait.resolve(event);
  }

  #lose(cause: Error): void {
    for (const wait of [...this.#waits])
      wait.reject(new AgentError('ERR_ANSWERS_LOST', 'listening for verdicts ended', {}, { cause }));
  }
}

/** A type or a shape that this version does not know is passed over. */
function read(record: SignedRecord): OutboundEvent | undefined {
  const type = shortType(record.head.type);
  if (!isOutboundType(type) || record.value === null) return undefined;
  const parsed = outboundSchemas[type].safeParse(parseJson(record.value.toString('utf8')));
  return parsed.success ? ({ type, data: parsed.data } as OutboundEvent) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isVerdict = (event: OutboundEvent): event is Verdict => VERDICTS.some((type) => type === event.type);

const names = (event: Verdict, ceId: string) =>
  event.type === 'event.rejected' ? event.data.record.ceId === ceId : event.data.causedBy === ceId;

/** The broker names the sender of what it rejects only where both signatures were good. */
const isCertain = (event: Verdict) => event.type !== 'event.rejected' || event.data.sender !== undefined;
