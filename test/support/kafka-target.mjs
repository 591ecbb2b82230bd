import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Proxy } from '../../faults/proxy.mjs';
import { startKafka } from '../../scripts/servers/kafka.mjs';
import { freePort, withPort } from '../../scripts/servers/ports.mjs';
import { temporaryFolder } from '../../scripts/servers/postgres-user.mjs';
import { defaultStateDir } from '../../scripts/start/state-dir.mjs';

const root = join(import.meta.dirname, '..', '..');
const anyPort = { variable: '', wanted: 0, explicit: false };
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';

export async function startKafkaTarget({ reauthMs = 0 } = {}) {
  const proxy = await Proxy.open();
  const folder = await temporaryFolder('mayfly-kafka-target-', null);
  const dir = join(folder, 'kafka');
  const jarsDir = join(await defaultStateDir(root), 'jars');
  const [saslPort, behindProxy] = [await freePort(), await freePort()];
  const open = (port) =>
    startKafka({
      dir,
      jarsDir,
      port,
      reaper: { remove: [folder] },
      settings: ({ controllerPort }) => settingsOf({ port, controllerPort, saslPort, behindProxy, proxyPort: proxy.port, reauthMs }),
    });
  let server = await withPort(anyPort, open);
  proxy.to(behindProxy);
  const { port } = server;
  return {
    address: `127.0.0.1:${saslPort}`,
    proxied: `127.0.0.1:${proxy.port}`,
    proxy,
    anonymous: { host: '127.0.0.1', port },
    async restart() {
      await server.stop();
      server = await open(port);
    },
    async stop() {
      await proxy.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** `PLAINTEXT` is the broker's own and the administrator's, `SASL` everybody else's, `PROXIED` the same through what stands between. */
const settingsOf = ({ port, controllerPort, saslPort, behindProxy, proxyPort, reauthMs }) => ({
  listeners: [
    `PLAINTEXT://127.0.0.1:${port}`,
    `SASL://127.0.0.1:${saslPort}`,
    `PROXIED://127.0.0.1:${behindProxy}`,
    `CONTROLLER://127.0.0.1:${controllerPort}`,
  ].join(),
  'advertised.listeners': [
    `PLAINTEXT://127.0.0.1:${port}`,
    `SASL://127.0.0.1:${saslPort}`,
    `PROXIED://127.0.0.1:${proxyPort}`,
  ].join(),
  'listener.security.protocol.map':
    'PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,PROXIED:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
  'sasl.enabled.mechanisms': 'SCRAM-SHA-256,SCRAM-SHA-512',
  ...Object.fromEntries(
    ['sasl', 'proxied'].flatMap((listener) =>
      ['256', '512'].map((bits) => [`listener.name.${listener}.scram-sha-${bits}.sasl.jaas.config`, SCRAM]),
    ),
  ),
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
  'connections.max.reauth.ms': reauthMs,
});
