/**
 * How old the oldest input is that the revoker has not read. Its heartbeat tells offsets, and offsets have no time: so the ends of
 * its inputs are looked at now and then, and whatever was there at a look is that old at least. Pure.
 */
import type { LogEnd } from '#bus/bus.js';
import type { RevocationHeartbeat } from '#events/revocations.js';

type ReadUpTo = RevocationHeartbeat['inputsReadUpTo'];

/** More are not kept: the oldest is the one that matters, and by then the revoker is far behind. */
const MAX_SAMPLES = 64;

export class InputSamples {
  readonly #samples: { ends: readonly LogEnd[]; atMs: number }[] = [];
  #readUntilMs = -Infinity;

  /** @param atMs taken before the ends were asked for: they may be younger, never older. */
  note(ends: readonly LogEnd[], atMs: number): void {
    if (this.#samples.length < MAX_SAMPLES) this.#samples.push({ ends, atMs });
  }

  /** What was appended before this moment, a revoker that has come so far has read. */
  readUntilMs(readUpTo: ReadUpTo): number {
    for (let first = this.#samples[0]; first !== undefined; first = this.#samples[0]) {
      if (!first.ends.every((end) => isRead(end, readUpTo))) break;
      this.#readUntilMs = first.atMs;
      this.#samples.shift();
    }
    return this.#readUntilMs;
  }
}

/** A partition that the revoker does not name is one of which it has read nothing. What the log no longer has, nobody can read. */
function isRead({ topic, partition, oldest, next }: LogEnd, readUpTo: ReadUpTo): boolean {
  const own = Object.hasOwn(readUpTo, topic) ? readUpTo[topic] : undefined;
  const read = own !== undefined && Object.hasOwn(own, partition) ? BigInt(own[partition] ?? 0) : 0n;
  return (read > oldest ? read : oldest) >= next;
}
