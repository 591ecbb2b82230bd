import type { KafkaMessage } from 'kafkajs';
import type { BusRecord } from '../bus.js';

/** A fetched message as the bus shows it. Bytes are untouched. */
export const toBusRecord = (topic: string, partition: number, message: KafkaMessage): BusRecord => ({
  topic,
  partition,
  offset: BigInt(message.offset),
  appendedAtMs: Number(message.timestamp),
  key: message.key,
  value: message.value,
  headers: message.headers ?? {},
});
