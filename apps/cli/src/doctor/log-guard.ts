/** What keeps the log from being changed: one line for each layer, and for what is missing the SQL that mends it. */
import { guardFindings, LAYERS, type GuardFinding, type Layer } from '#guard/findings.js';
import { lookAtGuard, type GuardSeen } from '#guard/look.js';
import { openDatabase } from '#store/database.js';
import { MADE_BY_START } from '../dlq/letters-database.js';
import { loginUrl } from '../logins.js';
import type { Addresses } from '../state-folder.js';
import { fail, ok, warn, wordsOf, type Finding } from './finding.js';

export async function logGuardFindings(folder: string, addresses: Addresses): Promise<Finding[]> {
  const { login, schema } = MADE_BY_START.auditor;
  try {
    const url = await loginUrl(folder, addresses, 'postgres', login);
    const db = openDatabase({ url, schema, application: 'mayfly-cli', maxConnections: 1 });
    try {
      return layerFindings(await lookAtGuard(db.pool, schema));
    } finally {
      await db.close();
    }
  } catch (error) {
    return [fail('log', wordsOf(error), 'start the auditor once: it makes the tables')];
  }
}

export function layerFindings(seen: GuardSeen): Finding[] {
  const found = guardFindings(seen);
  return LAYERS.flatMap((layer) => {
    const ofLayer = found.filter((each) => each.layer === layer);
    return ofLayer.length === 0 ? [ok(`log: ${layer}`, STANDS[layer](seen))] : ofLayer.map(findingOf);
  });
}

const findingOf = ({ layer, isMinor, what, mend }: GuardFinding): Finding =>
  (isMinor ? warn : fail)(`log: ${layer}`, what, mend);

const STANDS: Record<Layer, (seen: GuardSeen) => string> = {
  triggers: ({ tables }) => `refuse changes, always, on ${tables.length} tables and partitions`,
  'event triggers': () => 'refuse whoever alters, drops or detaches a table',
  rights: ({ writer }) => `${writer} adds and reads, nobody changes`,
  partitions: ({ tables, size }) =>
    `${tables.filter(({ upper }) => upper !== null).length} for ${size} entries, the next ones ready`,
};
