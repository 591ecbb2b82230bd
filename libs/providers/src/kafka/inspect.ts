/** What our accounts at a Kafka cluster have to be able to ask: both may list users and ACLs. */
import type { Log } from '#telemetry/log.js';
import { openKafka } from './kafka-provider.js';
import type { KafkaSettings } from './settings.js';

/** @throws ProviderError */
export async function askKafka(settings: KafkaSettings, log: Log): Promise<void> {
  const provider = openKafka(settings, log);
  try {
    for await (const _ of provider.list()) break;
  } finally {
    await provider.close();
  }
}
