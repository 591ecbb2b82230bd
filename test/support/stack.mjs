import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { postgresUser, temporaryFolder } from '../../scripts/servers/postgres-user.mjs';
import { anyPorts, portsFrom } from '../../scripts/start/settings.mjs';
import { Stack } from '../../scripts/start/stack.mjs';
import { defaultStateDir } from '../../scripts/start/state-dir.mjs';

const root = join(import.meta.dirname, '..', '..');
const anyPort = Object.fromEntries(Object.values(anyPorts()).map(({ variable }) => [variable, '0']));

export async function startStack({ env = {} } = {}) {
  const stateDir = await temporaryFolder('mayfly-stack-', await postgresUser());
  const shell = { ...process.env };
  // The tests' shared servers are not this stack's.
  for (const variable of ['KAFKA_BROKERS', 'DATABASE_URL', 'TARGET_URL']) delete shell[variable];
  const deaths = [];
  const stack = new Stack({
    root,
    stateDir,
    cacheDir: await defaultStateDir(root),
    env: { ...shell, ...env },
    ports: portsFrom({ ...anyPort, ...env }),
    durable: false,
    reaper: { remove: [stateDir] },
    onDeath: ({ name }) => deaths.push(name),
  });
  const remove = () => rmSync(stateDir, { recursive: true, force: true });
  await stack.open().catch((error) => {
    remove();
    throw error;
  });
  return {
    addresses: stack.addresses,
    urls: stack.urls,
    stateDir,
    kill: (service, signal) => stack.kill(service, signal),
    start: (service) => stack.start(service),
    logs: (part) => readFileSync(stack.logFile(part), 'utf8'),
    async stop() {
      await stack.stop();
      remove();
      if (deaths.length > 0) throw new Error(`parts ended that nobody had asked to: ${deaths.join(', ')}`);
    },
  };
}
