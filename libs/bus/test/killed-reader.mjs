/** A reader that a test kills: every record becomes a row in the transaction that moves the position. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openBus } from '#bus/open-bus.js';
import { consumeBatch } from '#store/consume.js';
import { openDatabase } from '#store/database.js';
import { readPositions } from '#store/offsets.js';

// With a fourth argument the bus is in that schema of the database, else on Kafka.
const [topic, group, schema, busSchema] = process.argv.slice(2);
const db = openDatabase({ url: process.env.DATABASE_URL, schema, application: 'killed-reader' });
const bus = await openBus(
  busSchema === undefined
    ? { kafka: { brokers: process.env.KAFKA_BROKERS.split(',') } }
    : { postgres: { url: process.env.DATABASE_URL, schema: busSchema } },
  'killed-reader',
);

await bus.subscribe({
  group,
  topics: [topic],
  positions: (assigned) => readPositions(db, group, assigned),
  onBatch: (records) =>
    consumeBatch(db, group, records, async (tx, wanted) => {
      for (const { partition, offset, key } of wanted) {
        await tx.query('INSERT INTO seen (partition, "offset", key) VALUES ($1, $2, $3)', [
          partition,
          offset,
          key.toString(),
        ]);
      }
      // Long enough to be killed in the middle of.
      await sleep(30);
      return { queued: [] };
    }),
  onCrash: (error) => {
    console.error(error);
    process.exit(1);
  },
});
