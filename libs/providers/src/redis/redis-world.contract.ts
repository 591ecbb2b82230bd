/** A target of Redis nodes for integration specs: accounts as the documentation makes them, adapters with one each, and some data. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { v7 } from 'uuid';
import { createLog } from '#telemetry/log.js';
import { principalOf } from '../principal-name.js';
import type { ProviderHarness, WiredTarget } from '../conformance/harness.contract.js';
import type { CredentialProvider, Plan, RedisCredential } from '../provider.js';
import type { Place } from './connection.js';
import { RedisDoor } from './redis-door.contract.js';
import { openRedis } from './redis-provider.js';
import { clientOf, openServers, untilOld, type RedisClient, type Servers } from './redis-servers.contract.js';
import { actsOf } from './redis-features.contract.js';
import { redisSettings, type RedisSettings } from './settings.js';

const PAGE = join(import.meta.dirname, '../../../../docs/providers/redis.md');
const PASSWORDS = { broker: 'spec-broker', revoker: 'spec-revoker' };
type Service = keyof typeof PASSWORDS;

export interface RedisWorld extends ProviderHarness<RedisCredential> {
  servers: Servers;
  nodes: Place[];
  /** Everything the adapters have logged. */
  logged: string[];
  /** What keys and channels of this spec begin with. */
  prefix: string;
  settings(service: Service, change?: Partial<Record<keyof RedisSettings, unknown>>): RedisSettings;
  /** Another adapter, closed with the rest. */
  open(service: Service, change?: Partial<Record<keyof RedisSettings, unknown>>): CredentialProvider;
  door(node?: number): Promise<RedisDoor>;
  admin(node?: number): Promise<RedisClient>;
  /** As the agent, at a node. */
  client(credential: RedisCredential, node?: number): Promise<RedisClient>;
  created(plan: Plan): Promise<RedisCredential>;
  /** The accounts and the data are there again, after a start of a node. */
  prepare(node: number): Promise<void>;
  holdCreate: NonNullable<ProviderHarness<RedisCredential>['holdCreate']>;
  /** The first node, and how an operator writes a target of it alone. */
  wire: WiredTarget;
  /** All nodes at once, with what they have in memory only. */
  restart(): Promise<void>;
  /** What `CONFIG REWRITE` has written is what they start with afterwards. */
  backUp(): Promise<() => Promise<void>>;
}

/** What keys and channels of a spec begin with. */
export const prefixOf = (namespace: string): string => `spec:${namespace}:`;

/** `namespace` is the spec file's own: specs may run at the same time on the same servers. */
export async function openRedisWorld(namespace: string, servers?: Servers): Promise<RedisWorld> {
  const { admins, ...rest } = servers ?? (await openServers());
  const nodes = admins.map(({ host, port }) => ({ host, port }));
  const prefix = prefixOf(namespace);
  const clients: RedisClient[] = [];
  const doors: RedisDoor[] = [];
  const adapters: CredentialProvider[] = [];
  const kept = async (opening: Promise<RedisClient>): Promise<RedisClient> => {
    const client = await opening;
    clients.push(client);
    return client;
  };
  const admin = (node = 0) => kept(clientOf(admins[node]!));
  const prepare = async (node: number) => {
    const client = await admin(node);
    for (const command of accountCommands(namespace)) await client.sendCommand(command);
    if (node > 0) return;
    await client.sendCommand(['SET', `${prefix}orders:1`, 'lamp']);
    await client.sendCommand(['SET', `${prefix}salaries:1`, '4200']);
  };
  for (const node of nodes.keys()) await prepare(node);

  const logged: string[] = [];
  const log = createLog('redis-spec', { level: 'trace', write: (line) => logged.push(line) });
  const asWritten = (service: Service) => ({
    ...{ id: 'shop', provider: 'redis', maxTtlMs: 900_000, nodes, tls: { mode: 'disable' }, namespace },
    login: { user: accountOf(service, namespace), password: PASSWORDS[service] },
  });
  const settings: RedisWorld['settings'] = (service, change = {}) =>
    redisSettings.parse({ ...asWritten(service), ...change });
  const open: RedisWorld['open'] = (service, change) => {
    const adapter = openRedis(settings(service, change), log);
    adapters.push(adapter);
    return adapter;
  };
  const broker = open('broker');
  const revoker = open('revoker');
  const client: RedisWorld['client'] = ({ connection: { username, password } }, node = 0) =>
    kept(clientOf({ ...nodes[node]!, user: username, password: password.reveal() }));
  const door = async (node = 0) => {
    const opened = await RedisDoor.before(nodes[node]!);
    doors.push(opened);
    return opened;
  };
  /** Ready to lend from. */
  const prepared = async () => {
    for (const node of nodes.keys()) await prepare(node);
    await untilOld();
  };
  const plan = (change: Partial<Plan> = {}) => planOf(namespace, `~${prefix}orders:* +@read`, change);

  return {
    ...{ broker, revoker, nodes, logged, prefix, settings, open, door, admin, client, plan, prepare },
    servers: { admins, ...rest },
    unreachable: open('broker', { nodes: [{ host: '127.0.0.1', port: 1 }] }),
    async login(credential) {
      const session = await client(credential);
      const get = (key: string) => session.sendCommand(['GET', `${prefix}${key}`]);
      return {
        use: () => get('orders:1'),
        overreach: () => get('salaries:1'),
        act: (name: string) => session.sendCommand(actsOf(prefix)[name] ?? []),
        close: () => Promise.resolve(session.isOpen ? session.destroy() : undefined),
      };
    },
    principalIn: ({ connection }) => connection.username,
    async created(wanted) {
      const answer = await broker.create(wanted);
      if (answer.answer !== 'created') throw new Error(`not created: ${answer.code}`);
      if (answer.credential.kind !== 'redis') throw new Error('another kind was created');
      return answer.credential;
    },
    async holdCreate(wanted) {
      const before = await door();
      const held = open('broker', { nodes: [before.place, ...nodes.slice(1)] });
      // It is connected before, so that what waits at the door is the create.
      await held.renew(wanted, wanted.notAfter);
      const waits = before.hold('SETUSER');
      const answer = held.create(wanted);
      await waits;
      return { answer, release: () => Promise.resolve(before.release()) };
    },
    wire: {
      ...nodes[0]!,
      settings: (service, port) => ({ ...asWritten(service), nodes: [{ host: '127.0.0.1', port }] }),
    },
    async restart() {
      for (const node of nodes.keys()) await rest.restart(node);
      await prepared();
    },
    async backUp() {
      for (const node of nodes.keys()) await (await admin(node)).sendCommand(['CONFIG', 'REWRITE']);
      const restores = nodes.map((_, node) => rest.keep(node));
      return async () => {
        for (const restore of restores) await restore();
        await prepared();
      };
    },
    async close() {
      await drain(revoker, (lease) => plan(lease)).catch(() => undefined);
      await Promise.all(adapters.map((adapter) => adapter.close()));
      for (const each of clients) if (each.isOpen) each.destroy();
      await Promise.all(doors.map((each) => each.close()));
      await rest.stop();
    },
  };
}

export function planOf(namespace: string, right: string, change: Partial<Plan> = {}): Plan {
  const leaseId = v7();
  const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
  return {
    leaseId,
    provider: 'redis',
    target: 'shop',
    principal: principalOf(namespace, leaseId),
    rights: [right],
    createBy: inMs(55_000),
    notAfter: inMs(120_000),
    hardEnd: inMs(600_000),
    ...change,
  };
}

/** The specs' own, so that those of other specs at the same servers keep theirs. */
const accountOf = (service: Service, namespace: string) => `mayfly-${service}-${namespace}`;

/** What the documentation tells an administrator to run. */
function accountCommands(namespace: string): string[][] {
  const lines = readFileSync(PAGE, 'utf8').match(/^ACL SETUSER mayfly-.*$/gm) ?? [];
  if (lines.length !== 2) throw new Error('the documentation does not make two accounts');
  return lines.map((line) =>
    line
      .replace(/mayfly-(broker|revoker)/, (_, service: Service) => accountOf(service, namespace))
      .replace(/<(broker|revoker)-password>/, (_, service: Service) => PASSWORDS[service])
      .split(' '),
  );
}

async function drain(revoker: CredentialProvider, plan: (lease: Partial<Plan>) => Plan): Promise<void> {
  for await (const lease of revoker.list()) {
    await revoker.cut(plan(lease));
    await revoker.clean(plan(lease));
  }
}
