import { freshBusSchema } from '../../test/fresh-bus-schema.js';
import { describeBus } from '../bus.contract.js';
import type { OpenedBus } from '../contract-support.contract.js';
import { murmur2 } from '../murmur2.js';
import { openPostgresBus } from './postgres-bus.js';
import { encodeHeaders } from './publisher.js';

async function open(): Promise<OpenedBus> {
  const { url, schema, db, drop } = await freshBusSchema('contract');
  const bus = await openPostgresBus({ url, schema, clientId: 'contract' });
  return {
    bus,
    raw: {
      write: async (topic, { key, value, headers }) => {
        const bytes = Buffer.from(key);
        await db.pool.query('SELECT append($1, $2, $3, $4, $5::text[]::jsonb[])', [
          [topic],
          [murmur2(bytes)],
          [bytes],
          [value],
          [encodeHeaders(headers)],
        ]);
      },
    },
    close: async () => {
      await bus.close();
      await drop();
    },
  };
}

describeBus('PostgreSQL', open);
