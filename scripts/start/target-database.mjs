import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { scramVerifier } from './scram.mjs';

export const TARGET_DATABASE = 'shop';
export const TARGET_ROLES = ['mayfly_broker', 'mayfly_revoker'];

/**
 * Fills the sample's target: the database `shop` by the files of `sqlDir`, in the order of their names. It can run again at
 * any time; the passwords are then those given.
 * @param {string} superuserUrl
 * @param {string} sqlDir
 * @param {Record<string, string>} passwords of mayfly_broker and mayfly_revoker
 * @returns {Promise<{ superuserUrl: string }>} of the database `shop`
 */
export async function prepareTarget(superuserUrl, sqlDir, passwords) {
  await connected(superuserUrl, async (client) => {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [TARGET_DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${TARGET_DATABASE}`);
  });
  const url = new URL(superuserUrl);
  url.pathname = `/${TARGET_DATABASE}`;
  const files = (await readdir(sqlDir)).filter((name) => name.endsWith('.sql')).sort();
  await connected(url.href, async (client) => {
    await client.query(
      "SELECT set_config('mayfly.broker_verifier', $1, false), set_config('mayfly.revoker_verifier', $2, false)",
      [scramVerifier(passwords.mayfly_broker), scramVerifier(passwords.mayfly_revoker)],
    );
    for (const file of files) await client.query(await readFile(join(sqlDir, file), 'utf8'));
  });
  return { superuserUrl: url.href };
}

async function connected(url, work) {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    application_name: 'mayfly-start',
  });
  client.on('error', () => {}); // the pending query rejects with it
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
