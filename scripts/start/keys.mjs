import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Makes, at the first start, the keys of a development set-up in the state folder: the development trust domain's, the three
 * services', the log's, and the one that the keys of tokens are encrypted under. Later starts keep them.
 * @param {string} root the clone, built
 * @param {string} stateDir
 */
export async function ensureKeys(root, stateDir) {
  // What makes development keys demands it; startSettings has refused everything else.
  process.env.MAYFLY_ENV ??= 'development';
  const built = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
  const { ensureDevelopmentTrust } = await built('libs/identity/src/development/development-trust.js');
  const { ensureDevelopmentLogin } = await built('libs/identity/src/development/development-login.js');
  const { ensureServiceKeys } = await built('libs/identity/src/development/service-keys.js');
  const { ensureKeyEncryptionKey } = await built('apps/broker/src/development/key-encryption-key.js');
  const { ensureLogKeys } = await built('apps/auditor/src/development/log-keys.js');
  await ensureDevelopmentTrust(stateDir);
  await ensureDevelopmentLogin(stateDir);
  await ensureServiceKeys(stateDir);
  await ensureKeyEncryptionKey(stateDir);
  await ensureLogKeys(stateDir);
}
