/**
 * `mayfly recover`: what an operator decides after a restore, or when a topic was made anew. It only prepares: the epoch is raised
 * here, and the service does the rest at its next start, before it issues or says anything (docs/adr/0009-after-a-restore.md).
 */
import { openBus } from '#bus/open-bus.js';
import { loadConfig, type MayflyConfig } from '#config/load.js';
import type { ServiceName } from '#events/services.js';
import { CREDENTIAL_EVENTS, DELIVERY, REVOCATIONS, TASK_EVENTS } from '#events/topics.js';
import { loadPeerKeys } from '#identity/records.js';
import { openDatabase, transact, type Database, type Tx } from '#store/database.js';
import { originBy, unknownOnTopics, type Unknown } from '#store/epoch.js';
import { forgetPositions, order, raiseEpoch, readStoreLife } from '#store/store-meta.js';
import { CliError } from '../failure.js';
import type { CommandContext } from './context.js';

export interface RecoverOptions {
  service: ServiceName;
  config: string;
  topic?: string;
  confirm?: boolean;
}

export const RECREATED: readonly string[] = [TASK_EVENTS, CREDENTIAL_EVENTS, DELIVERY, REVOCATIONS];
/** What each service reads. */
const READS: Record<ServiceName, readonly string[]> = {
  broker: [TASK_EVENTS, CREDENTIAL_EVENTS],
  revoker: [TASK_EVENTS, CREDENTIAL_EVENTS],
  auditor: RECREATED,
};

export async function recover(options: RecoverOptions, { env, output }: CommandContext): Promise<void> {
  const { service, topic, confirm = false } = options;
  if (topic !== undefined && !READS[service].includes(topic))
    throw new CliError('ERR_CLI_USAGE', `the ${service} does not read ${topic}: it is not concerned`);
  const config = loadConfig(options.config, env, service);
  const db = openDatabase({ ...whereOf(config, service), application: 'mayfly-cli', maxConnections: 2 });
  try {
    await assertNotRunning(db, service);
    const found = topic === undefined ? await look(db, config, service) : null;
    if (found !== null) output.remark(toldOf(service, found));
    if (!confirm)
      throw new CliError('ERR_CLI_USAGE', 'nothing was changed: add --confirm, and read docs/how-to first');
    const { epoch } = await transact(db, (tx) => prepare(tx, service, topic, found));
    output.answer(`the ${service} may be started: ${nextOf(service, topic)}`, {
      ...{ service, epoch, topic: topic ?? null },
      ...{ unknownEpochs: found?.epochs.length ?? 0, unknownRecords: found?.records.length ?? 0 },
    });
  } catch (error) {
    throw explained(service, error);
  } finally {
    await db.close();
  }
}

/** The auditor's own login may only add. */
function whereOf({ services }: MayflyConfig<ServiceName>, service: ServiceName) {
  const database = services[service]?.database;
  // `loadConfig` was asked for this section.
  if (database === undefined) throw new CliError('ERR_CLI_USAGE', `the file has no section ${service}`);
  return { url: 'ownerUrl' in database ? database.ownerUrl : database.url, schema: database.schema };
}

/** By the name of its sessions. One that runs signs with the epoch that it began with. */
async function assertNotRunning({ pool }: Database, service: ServiceName): Promise<void> {
  const { rows } = await pool.query(
    'SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1 LIMIT 1',
    [`mayfly-${service}`],
  );
  if (rows.length > 0)
    throw new CliError(
      'ERR_CLI_STILL_RUNNING',
      `the ${service} is connected to this database: stop it first`,
    );
}

async function look(db: Database, config: MayflyConfig<ServiceName>, service: ServiceName): Promise<Unknown> {
  const bus = await openBus(config.bus, 'mayfly-recover');
  try {
    const peers = await loadPeerKeys(config.trust.services);
    return await unknownOnTopics({ db, bus, service, originOf: originBy(peers, service) });
  } finally {
    await bus.close();
  }
}

const toldOf = (service: ServiceName, { epochs, records }: Unknown): string =>
  epochs.length + records.length === 0
    ? `the ${service}'s database knows all that was found of it: it does not look restored`
    : `the ${service}'s database does not know ${records.length} of its last records, and ${epochs.length} epochs`;

async function prepare(tx: Tx, service: ServiceName, topic: string | undefined, found: Unknown | null) {
  if (service === 'auditor') await prepareAuditor(tx, topic);
  else await order(tx, topic === undefined ? { store: true } : { topics: [topic] });
  if (topic === undefined) await raiseEpoch(tx, found?.epochs ?? []);
  return await readStoreLife(tx);
}

/** A log that was restored would be continued in another way than its signed heads say: that is never the same log. */
async function prepareAuditor(tx: Tx, topic: string | undefined): Promise<void> {
  if (topic !== undefined) return forgetPositions(tx, 'auditor', [topic]);
  const { rows } = await tx.query<{ size: bigint }>('SELECT size FROM tree_head');
  if (rows[0]?.size !== 0n)
    throw new CliError(
      'ERR_CLI_LOG_NOT_EMPTY',
      'a restored log contradicts its own checkpoints: keep it, and begin a new one under another origin (docs/how-to)',
    );
}

function nextOf(service: ServiceName, topic: string | undefined): string {
  if (service === 'auditor') return 'it reads the topics from where it stands';
  if (topic !== undefined)
    return service === 'broker'
      ? 'it suspends every task until its orchestrator speaks again'
      : 'it reads the topic from its oldest record';
  return service === 'broker'
    ? 'it ends every task, and issues nothing until the revoker has swept every target'
    : 'it reads the topics to their end and sweeps every target';
}

/** Messages of the driver are left out: they may quote the URL with its password. */
function explained(service: ServiceName, error: unknown): unknown {
  const { code } = error as { code?: unknown };
  if (code === '42P01' || code === '42703')
    return new CliError(
      'ERR_CLI_ANSWER',
      `the ${service}'s database is of an older Mayfly: start the ${service} once with --observe`,
    );
  const isDriver = typeof code === 'string' && !code.startsWith('ERR_');
  return isDriver
    ? new CliError(
        'ERR_CLI_UNREACHABLE',
        `the ${service}'s database does not answer (${code}): mayfly doctor`,
      )
    : error;
}
