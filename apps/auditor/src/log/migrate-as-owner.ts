/** The log's tables are made by their owner, which then has nothing more to do with them. */
import type { MayflyConfig } from '#config/load.js';
import { openDatabase } from '#store/database.js';
import { SetUpError } from '../set-up-error.js';
import { migrateLog, roleOf } from './schema.js';

type Settings = MayflyConfig<'auditor'>['services']['auditor']['database'];

/** @throws SetUpError where owner, auditor and signer are not three roles, or the signer's is not there */
export async function migrateAsOwner({ url, ownerUrl, schema, signerRole }: Settings): Promise<void> {
  if (roleOf(url) === roleOf(ownerUrl))
    throw new SetUpError('the auditor must not run as the owner of its tables');
  if ([roleOf(url), roleOf(ownerUrl)].includes(signerRole))
    throw new SetUpError('the signer must have a role of its own: database.signerRole');
  const owner = openDatabase({
    url: ownerUrl,
    schema,
    application: 'mayfly-auditor-owner',
    maxConnections: 1,
  });
  try {
    const { rowCount } = await owner.pool.query('SELECT FROM pg_roles WHERE rolname = $1', [signerRole]);
    if (rowCount === 0) throw new SetUpError('there is no role of the signer: create database.signerRole');
    await migrateLog(owner, roleOf(url), signerRole);
  } finally {
    await owner.close();
  }
}
