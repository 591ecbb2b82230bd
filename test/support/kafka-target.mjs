import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startKafka } from '../../scripts/servers/kafka.mjs';
import { takePort, withPort } from '../../scripts/servers/ports.mjs';
import { findJava } from '../../scripts/servers/kafka-jars.mjs';
import { run } from '../../scripts/servers/run.mjs';
import { temporaryFolder } from '../../scripts/servers/postgres-user.mjs';
import { defaultStateDir } from '../../scripts/start/state-dir.mjs';

const root = join(import.meta.dirname, '..', '..');
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';

export async function startKafkaTarget() {
  const folder = await temporaryFolder('mayfly-kafka-target-', null);
  const dir = join(folder, 'kafka');
  const jarsDir = join(await defaultStateDir(root), 'jars');
  const ports = {};
  for (const name of ['sasl', 'tls', 'wired', 'wire']) ports[name] = await takePort(quietPort());
  const certificate = await makeCertificate(folder);
  const open = (port) =>
    startKafka({
      dir,
      jarsDir,
      port,
      reaper: { remove: [folder] },
      isShortLived: true,
      settings: ({ controllerPort }) =>
        settingsOf({ ...ports, plain: port, controller: controllerPort }, certificate),
    });
  let server = await withPort(quietPort(), open);
  const { port } = server;
  const restart = async (between = () => undefined) => {
    await server.stop();
    await between();
    server = await open(port);
  };
  return {
    address: `127.0.0.1:${ports.sasl}`,
    tls: { address: `127.0.0.1:${ports.tls}`, ca: certificate.pem },
    wired: { host: '127.0.0.1', port: ports.wired, listenOn: ports.wire },
    anonymous: { host: '127.0.0.1', port },
    restart: () => restart(),
    async backUp() {
      const backup = await mkdtemp(join(folder, 'backup-'));
      const data = join(dir, 'data');
      await cp(data, backup, { recursive: true });
      return () =>
        restart(async () => {
          await rm(data, { recursive: true });
          await cp(backup, data, { recursive: true });
        });
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Of those that no system gives to whoever only connects: it must be free again after a restart. */
const quietPort = () => ({
  variable: '',
  wanted: 15_000 + Math.floor(Math.random() * 15_000),
  explicit: false,
});

const KEYSTORE_PASSWORD = 'throw-away';

/** Java makes it, which Kafka needs anyway: a key, and a certificate of its own for this machine's address. */
async function makeCertificate(folder) {
  const keytool = join((await findJava()).replace(/java$/, ''), 'keytool');
  const keystore = join(folder, 'keystore.p12');
  const store = [
    '-alias',
    'kafka',
    '-keystore',
    keystore,
    '-storetype',
    'PKCS12',
    '-storepass',
    KEYSTORE_PASSWORD,
  ];
  const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-dname', 'CN=kafka', '-ext', 'san=ip:127.0.0.1'];
  const made = await run(keytool, ['-genkeypair', ...store, ...key]);
  if (made.code !== 0) throw new Error(`no certificate could be made: ${made.output}`);
  const { output } = await run(keytool, ['-exportcert', '-rfc', ...store]);
  return { keystore, pem: output.slice(output.indexOf('-----BEGIN')) };
}

/** `PLAINTEXT` is the broker's own and the administrator's, `SASL` everybody else's, `WIRED` the same through what stands between. */
const settingsOf = (ports, { keystore }) => ({
  listeners: [
    `PLAINTEXT://127.0.0.1:${ports.plain}`,
    `SASL://127.0.0.1:${ports.sasl}`,
    `TLS://127.0.0.1:${ports.tls}`,
    `WIRED://127.0.0.1:${ports.wired}`,
    `CONTROLLER://127.0.0.1:${ports.controller}`,
  ].join(),
  'advertised.listeners': [
    `PLAINTEXT://127.0.0.1:${ports.plain}`,
    `SASL://127.0.0.1:${ports.sasl}`,
    `TLS://127.0.0.1:${ports.tls}`,
    `WIRED://127.0.0.1:${ports.wire}`,
  ].join(),
  'listener.security.protocol.map':
    'PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SASL_SSL,WIRED:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
  'sasl.enabled.mechanisms': 'SCRAM-SHA-256,SCRAM-SHA-512',
  ...Object.fromEntries(
    ['sasl', 'tls', 'wired'].flatMap((listener) =>
      ['256', '512'].map((bits) => [`listener.name.${listener}.scram-sha-${bits}.sasl.jaas.config`, SCRAM]),
    ),
  ),
  'listener.name.tls.ssl.keystore.location': keystore,
  'listener.name.tls.ssl.keystore.type': 'PKCS12',
  'listener.name.tls.ssl.keystore.password': KEYSTORE_PASSWORD,
  'listener.name.tls.ssl.key.password': KEYSTORE_PASSWORD,
  // A broker that was killed is let in again only once its controller has missed it for so long.
  'broker.session.timeout.ms': '2000',
  'broker.heartbeat.interval.ms': '400',
  // Kafka 4.3.1 that starts from its log alone may forget every SCRAM user (docs/providers/kafka.md, Limits).
  'metadata.log.max.record.bytes.between.snapshots': '1',
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
});
