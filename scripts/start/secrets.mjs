import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Generated passwords, kept in `<stateDir>/secrets/<name>.json` (mode 0600): made at the first start, the same ever after.
 * @param {string} stateDir
 * @param {string} name
 * @param {readonly string[]} accounts
 * @returns {Record<string, string>} the password of each account; 192 random bits in URL-safe characters
 */
export function keepSecrets(stateDir, name, accounts) {
  const folder = join(stateDir, 'secrets');
  const file = join(folder, `${name}.json`);
  const known = read(file);
  const missing = accounts.filter((account) => known[account] === undefined);
  if (missing.length === 0) return known;
  const all = { ...known };
  for (const account of missing) all[account] = randomBytes(24).toString('base64url');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.part`, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.part`, file);
  return all;
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return {};
    throw error;
  }
}
