import { BusError } from '#bus/bus.js';
import type { Gap } from './leaf/own-entry.js';

/**
 * Which records are gone, if that is why the consumer ended. A log that ends before our position is no gap: the topic was
 * made anew or truncated, and a person has to look.
 */
export function gapOf(error: Error): Gap | undefined {
  if (!(error instanceof BusError) || error.code !== 'ERR_OFFSET_OUT_OF_RANGE') return undefined;
  const { topic, partition, next, low } = error.fields;
  if (typeof topic !== 'string' || typeof partition !== 'number') return undefined;
  const [from, to] = [BigInt(next ?? 0), BigInt(low ?? 0)];
  return to > from ? { topic, partition, from, to } : undefined;
}
