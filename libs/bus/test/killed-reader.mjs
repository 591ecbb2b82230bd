/** A reader that a test kills: every record becomes a row in the transaction that moves the position. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openBus } from '#bus/open-bus.js';
import { consumeBatch } from '#store/consume.js';
import { openDatabase } from '#store/database.js';
import { readPositions } from '#store/offsets.js';

// With a fourth argument the bus is in that schema of the database, else on Kafka.
const [topic, group, schema, busSchema] = process.argv.slice(2);
/** Once it has committed so many rows it ends itself in the middle of a transaction, as kill -9 would. */
const diesAfter = Number(process.env.DIES_AFTER ?? Infinity);
let committed = 0;
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
  onBatch: async (records) => {
    const handled = await consumeBatch(db, group, records, async (tx, wanted) => {
      for (const { partition, offset, key } of wanted) {
        await tx.query('INSERT INTO seen (partition, "offset", key) VALUES ($1, $2, $3)', [
          partition,
          offset,
          key.toString(),
        ]);
      }
      if (committed >= diesAfter) process.kill(process.pid, 'SIGKILL');
      // Long enough to be killed in the middle of.
      await sleep(30);
      return wanted.length;
    });
    committed += handled;
  },
  onCrash: (error) => {
    console.error(error);
    process.exit(1);
  },
});
