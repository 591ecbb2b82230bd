/** A Redis of the rig's own, beside the sample's targets: its server, its accounts, and the configuration that names it. */
import { randomBytes } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { startRedis } from '../scripts/servers/redis.mjs';
import { withPort } from '../scripts/servers/ports.mjs';

const NAMESPACE = 'rds';
const TARGET = 'cache';
/** What is asked for there. */
export const CACHE_DATASET = 'crm.carts';
/** docs/providers/redis.md */
const RIGHTS = {
  broker:
    'resetchannels -@all +acl|setuser +acl|getuser +info +config|get +time +multi +exec +client|setname',
  revoker:
    'resetchannels -@all +acl|setuser +acl|getuser +acl|deluser +acl|users +info +config|get +multi +exec +client|setname +client|list +client|kill',
};
/** A server that has just started lends nothing that was asked for before. */
const SECRET_BYTES = 18;

export class Cache {
  #server;
  #again;
  #passwords = {};
  adminPassword = randomBytes(SECRET_BYTES).toString('base64url');

  static async open(folder) {
    const cache = new Cache();
    const { adminPassword } = cache;
    for (const service of Object.keys(RIGHTS))
      cache.#passwords[service] = randomBytes(SECRET_BYTES).toString('base64url');
    const accounts = Object.entries(RIGHTS).map(
      ([service, rights]) => `mayfly-${service} on >${cache.#passwords[service]} ${rights}`,
    );
    const user = [`default on >${adminPassword} ~* &* +@all`, ...accounts];
    const start = (port) =>
      startRedis({ dir: join(folder, 'redis'), port, adminPassword, settings: { user }, reaper: null });
    cache.#server = await withPort({ variable: '', wanted: 0, explicit: false }, start);
    cache.#again = () => start(cache.port);
    return cache;
  }

  get port() {
    return this.#server.port;
  }

  /** Of the service's environment: its account there, and where it finds the server. */
  environmentOf(service, port) {
    const password = this.#passwords[service];
    if (password === undefined) return {};
    return {
      MAYFLY_CACHE_PORT: String(port),
      MAYFLY_CACHE_USER: `mayfly-${service}`,
      MAYFLY_CACHE_PASSWORD: password,
    };
  }

  async restart(signal) {
    this.#server.child.kill(signal);
    await this.#server.child.exited;
    this.#server = await this.#again();
  }

  async close() {
    await this.#server.stop();
  }
}

/** The sample's configuration with this target and a dataset in it. @returns the path of its `mayfly.yaml` */
export async function configureCache(sample, folder) {
  await cp(sample, folder, { recursive: true });
  const change = async (name, how) => {
    const file = join(folder, 'catalogue', `${name}.yaml`);
    await writeFile(file, stringify(how(parse(await readFile(file, 'utf8')))));
  };
  await change('targets', (targets) => [
    ...targets,
    {
      ...{ id: TARGET, provider: 'redis', maxTtlMs: 900_000, tls: { mode: 'disable' }, namespace: NAMESPACE },
      nodes: [{ host: '127.0.0.1', port: '${MAYFLY_CACHE_PORT:-1}' }],
      login: { user: '${MAYFLY_CACHE_USER:-nobody}', password: '${MAYFLY_CACHE_PASSWORD:-none}' },
    },
  ]);
  await change('datasets', (datasets) => [
    ...datasets,
    {
      ...{ id: CACHE_DATASET, domains: ['crm'], classification: 'internal', residency: 'eu', pii: false },
      target: TARGET,
      actions: { read: { rights: ['%R~carts:* +@read'], cedar: 'readDataset' } },
    },
  ]);
  await change('orchestrators', (orchestrators) =>
    orchestrators.map((each) => ({ ...each, datasets: [...each.datasets, CACHE_DATASET] })),
  );
  return join(folder, 'mayfly.yaml');
}
