/** How far the log of each partition of some topics reaches. */
import type { Admin } from 'kafkajs';
import type { LogBounds } from '../log-bounds.js';

export async function fetchBounds(admin: Admin, topics: readonly string[]): Promise<LogBounds[]> {
  const bounds = await Promise.all(
    topics.map(async (topic) =>
      (await admin.fetchTopicOffsets(topic)).map(({ partition, low, high }) => ({
        topic,
        partition,
        low: BigInt(low),
        high: BigInt(high),
      })),
    ),
  );
  return bounds.flat();
}
