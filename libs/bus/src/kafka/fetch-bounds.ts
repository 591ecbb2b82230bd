/** How far the log of each partition of some topics reaches. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import type { LogBounds } from '../log-bounds.js';
import { backoffMs } from '../tries.js';

/** 12.7 s in all: on a busy machine a new topic was without leaders for more than four. */
const LEADERLESS_TRIES = 8;

export async function fetchBounds(admin: Admin, topics: readonly string[]): Promise<LogBounds[]> {
  const bounds = await Promise.all(
    topics.map(async (topic) =>
      (await fetchOffsets(admin, topic)).map(({ partition, low, high }) => ({
        topic,
        partition,
        low: BigInt(low),
        high: BigInt(high),
      })),
    ),
  );
  return bounds.flat();
}

/** A topic just made has no leaders for a moment, which the client does not wait for. */
async function fetchOffsets(admin: Admin, topic: string) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await admin.fetchTopicOffsets(topic);
    } catch (error) {
      const { retriable } = error as { retriable?: unknown };
      if (retriable !== true || attempt === LEADERLESS_TRIES) throw error;
      await sleep(backoffMs(attempt));
    }
  }
}
