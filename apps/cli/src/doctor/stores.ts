/** Whether each service's database knows what was written out of it, and whether a recovery is under way. Changes nothing. */
import { openBus } from '#bus/open-bus.js';
import type { Bus } from '#bus/bus.js';
import type { MayflyConfig } from '#config/load.js';
import { SERVICES, type ServiceName } from '#events/services.js';
import { loadPeerKeys, type PeerKeys } from '#identity/records.js';
import { openDatabase } from '#store/database.js';
import { originBy, unknownOnTopics, type Unknown } from '#store/epoch.js';
import { readStoreLife, type StoreLife } from '#store/store-meta.js';
import { MADE_BY_START } from '../dlq/letters-database.js';
import { loginUrl } from '../logins.js';
import type { Addresses } from '../state-folder.js';
import { fail, ok, warn, wordsOf, type Finding } from './finding.js';

export async function storeFindings(
  folder: string,
  addresses: Addresses,
  { bus: settings, trust }: MayflyConfig<'cli'>,
): Promise<Finding[]> {
  let bus: Bus;
  try {
    bus = await openBus(settings, 'mayfly-doctor');
  } catch {
    // Said already where the bus was looked at.
    return [];
  }
  try {
    const peers = await loadPeerKeys(trust.services);
    return await Promise.all(SERVICES.map((service) => see(service, folder, addresses, bus, peers)));
  } catch (error) {
    return [
      fail('stores', wordsOf(error), 'the keys of the services are under trust.services in mayfly.yaml'),
    ];
  } finally {
    await bus.close();
  }
}

async function see(
  service: ServiceName,
  folder: string,
  addresses: Addresses,
  bus: Bus,
  peers: PeerKeys,
): Promise<Finding> {
  const { login, schema } = MADE_BY_START[service];
  try {
    const url = await loginUrl(folder, addresses, 'postgres', login);
    const db = openDatabase({ url, schema, application: 'mayfly-cli', maxConnections: 1 });
    try {
      const found = await unknownOnTopics({ db, bus, service, originOf: originBy(peers, service) });
      return storeFinding(service, await readStoreLife(db.pool), found);
    } finally {
      await db.close();
    }
  } catch (error) {
    return fail(`store of the ${service}`, wordsOf(error), 'npm start');
  }
}

export function storeFinding(service: ServiceName, life: StoreLife, { epochs, records }: Unknown): Finding {
  const what = `store of the ${service}`;
  if (epochs.length + records.length > 0)
    return fail(
      what,
      `restored: ${records.length} of its last records and ${epochs.length} epochs are not known to it`,
      'docs/how-to/recover-from-a-restore.md',
    );
  if (life.recovering !== null)
    return warn(
      what,
      'recovering: nothing is issued until every target was swept',
      'start the revoker, then the broker, and see their logs',
    );
  return ok(what, `knows what it has written, epoch ${life.epoch.slice(0, 8)}`);
}
