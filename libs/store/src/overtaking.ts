/**
 * Which records of a partition were handled before others that stand there before them, as far as one reader knows, and where the position
 * stands then: before the first that waits. Records of one key never overtake each other.
 */
import type { BusRecord } from '#bus/bus.js';
import { partitionKey, type Move } from './offsets.js';
import { keyText } from './parking.js';

/** Of one partition. They are written with its position each time. */
const BEYOND_MAX = 100;

export class Overtaking {
  readonly #beyond = new Map<string, readonly bigint[]>();

  /** Records of one line keep their order: those of a key, or all of a partition in which enough have overtaken others. */
  lineOf(record: BusRecord): string {
    const partition = partitionKey(record);
    const isEnough = (this.#beyond.get(partition)?.length ?? 0) >= BEYOND_MAX;
    return isEnough ? partition : `${partition}/${keyText(record.key)}`;
  }

  /** @param left what waits of those partitions, in any order. @returns where they stand once these are handled, too */
  movesFor(handling: readonly BusRecord[], left: readonly BusRecord[]): Move[] {
    const handled = new Map<string, { topic: string; partition: number; offsets: bigint[] }>();
    for (const record of handling) {
      const at = partitionKey(record);
      const { topic, partition } = record;
      const known = handled.get(at) ?? { topic, partition, offsets: [...(this.#beyond.get(at) ?? [])] };
      known.offsets.push(record.offset);
      handled.set(at, known);
    }
    const firstLeft = new Map<string, bigint>();
    for (const record of left) {
      const at = partitionKey(record);
      const first = firstLeft.get(at);
      if (first === undefined || record.offset < first) firstLeft.set(at, record.offset);
    }
    return [...handled].map(([at, { topic, partition, offsets }]) => {
      const behindAll = offsets.reduce((a, b) => (a > b ? a : b)) + 1n;
      const first = firstLeft.get(at) ?? behindAll;
      const next = first < behindAll ? first : behindAll;
      return { topic, partition, next, beyond: offsets.filter((offset) => offset > next) };
    });
  }

  /** MUST be called once these are committed. */
  moved(moves: readonly Move[]): void {
    for (const { beyond = [], ...where } of moves) {
      if (beyond.length === 0) this.#beyond.delete(partitionKey(where));
      else this.#beyond.set(partitionKey(where), beyond);
    }
  }

  /** What was handled beyond a position is read again and dropped then (`moveOffsets`). */
  forget(): void {
    this.#beyond.clear();
  }
}
