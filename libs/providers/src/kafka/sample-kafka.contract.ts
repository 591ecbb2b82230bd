/**
 * A Kafka for integration specs: with an authorizer, topics, and the two logins that docs/providers/kafka tells a user to make; and
 * agents that use what they were lent by a client of their own.
 */
import { v7 } from 'uuid';
import { createLog } from '#telemetry/log.js';
import { startKafkaTarget, type KafkaTarget } from '../../../../test/support/kafka-target.mjs';
import { principalOf } from '../principal-name.js';
import type { z } from 'zod';
import type {
  AgentSession,
  ProviderHarness,
  TargetFeatures,
  WiredTarget,
} from '../conformance/harness.contract.js';
import type { CredentialProvider, KafkaCredential, Plan } from '../provider.js';
import { Administrator } from './kafka-administrator.contract.js';
import { Agent } from './kafka-agent.contract.js';
import { openKafka } from './kafka-provider.js';
import { kafkaSettings } from './settings.js';

export const ORDERS = 'spec.orders';
export const ARCHIVE = 'spec.orders_archive-2025';
export const SALARIES = 'hr.salaries';
/** Java and Kafka, on a machine that others use. */
export const STARTS_WITHIN_MS = 240_000;
const NAMESPACE = 'spk';
/** A name and a password as somebody may choose them: SCRAM escapes the first, and clients must not trip over the second. */
const BROKER = { user: 'mayfly,broker=1', password: 'it\'s "p,w=1" %?' };
const REVOKER = { user: 'mayfly_revoker', password: 'n,r=c' };

/** What the kit holds it to. */
export const kafkaFeatures: TargetFeatures = {
  ...{ asksServer: true, knowsPrincipals: true, keepsSessions: false },
  ...{ refusesLateCreate: false, findsLateCreate: true },
  ...{ wired: true, restart: 'keeps', restores: true },
  rights: [
    {
      rights: [`write:topic:${ORDERS}`],
      permits: ['write orders'],
      forbids: ['read orders', 'write archive', 'write salaries', 'make a topic'],
    },
    {
      rights: ['write:topics:spec.'],
      permits: ['write orders', 'write archive'],
      forbids: ['read orders', 'write salaries', 'make a topic'],
    },
    {
      rights: [`read:topic:${ORDERS}`, 'own-groups'],
      permits: ['read orders'],
      forbids: ['read orders as billing', 'read archive', 'write orders', 'read salaries'],
    },
    {
      rights: ['read:topics:spec.', 'read:group:billing'],
      permits: ['read orders as billing'],
      forbids: ['read orders', 'read orders as billing-2', 'read salaries'],
    },
    {
      rights: [`read:topic:${ARCHIVE}`, `write:topic:${ORDERS}`, 'read:groups:bill'],
      permits: ['read archive as billing', 'write orders'],
      forbids: ['read archive', 'read orders as billing', 'write archive'],
    },
  ],
};

export interface Change {
  brokers?: string;
  /** Of TLS. */
  ca?: string;
  user?: string;
  scram?: 'scram-sha-256';
}

export interface SampleKafka extends ProviderHarness<KafkaCredential> {
  target: KafkaTarget;
  wire: WiredTarget;
  /** Everything the adapters have logged. */
  logged: string[];
  /** One more adapter, by the proxy or with other settings. */
  open: (change?: Change) => CredentialProvider;
  plan: (change?: Partial<Plan>) => Plan;
  created: (plan: Plan, provider?: CredentialProvider) => Promise<KafkaCredential>;
  agent: (credential: KafkaCredential) => Agent;
  /** Super user. */
  administrator: Administrator;
}

/** @param options.id of the target in plans and settings; `events` unless told */
export async function openSampleKafka({ id = 'events' } = {}): Promise<SampleKafka> {
  const target = await startKafkaTarget();
  const administrator = await Administrator.connect(target);
  await administrator.createTopics([ORDERS, ARCHIVE, SALARIES]);
  for (const { user, password } of [BROKER, REVOKER]) await administrator.createLogin(user, password);

  // Something to read.
  for (const topic of [ORDERS, ARCHIVE, SALARIES]) await administrator.produce(topic);
  const logged: string[] = [];
  const log = createLog('providers-spec', { level: 'trace', write: (line) => logged.push(line) });
  const opened: CredentialProvider[] = [];
  const open: SampleKafka['open'] = ({ user = BROKER.user, ...change } = {}) => {
    const login = [BROKER, REVOKER].find((each) => each.user === user) ?? { user, password: 'wrong' };
    const provider = openKafka(
      kafkaSettings.parse(asWritten(id, login, { brokers: target.address, ...change })),
      log,
    );
    opened.push(provider);
    return provider;
  };
  const broker = open();
  const agents: Agent[] = [];
  const agent = (credential: KafkaCredential) => {
    const next = new Agent(credential);
    agents.push(next);
    return next;
  };
  return {
    ...{ target, logged, open, agent, administrator, broker },
    revoker: open({ user: REVOKER.user }),
    unreachable: open({ brokers: '127.0.0.1:1' }),
    plan: (change) => planOf({ target: id, ...change }),
    restart: () => target.restart(),
    backUp: () => target.backUp(),
    wire: {
      ...target.wired,
      settings: (process, port) =>
        asWritten(id, process === 'broker' ? BROKER : REVOKER, { brokers: `127.0.0.1:${port}` }),
    },
    principalIn: ({ connection }) => connection.username,
    async login(credential): Promise<AgentSession> {
      const client = agent(credential);
      await client.login();
      return {
        use: () => client.produce(ORDERS),
        overreach: () => client.produce(SALARIES),
        act: (name) => actOf(client, name),
        close: () => client.close(),
      };
    },
    async created(plan, provider = broker) {
      const answer = await provider.create(plan);
      if (answer.answer !== 'created') throw new Error(`not created: ${answer.code}`);
      if (answer.credential.kind !== 'kafka') throw new Error('another kind was created');
      return answer.credential;
    },
    async close() {
      await Promise.all(agents.map((each) => each.close()));
      await Promise.all(opened.map((provider) => provider.close()));
      await administrator.close();
      await target.stop();
    },
  };
}

const asWritten = (
  id: string,
  login: { user: string; password: string },
  { brokers = '', ca, scram }: Change,
): z.input<typeof kafkaSettings> => ({
  ...{ id, provider: 'kafka', maxTtlMs: 900_000, namespace: NAMESPACE, login },
  connection: { brokers, tls: ca === undefined ? { mode: 'disable' } : { mode: 'verify-full', ca } },
  ...(scram === undefined ? {} : { scram }),
});

const TOPICS: Record<string, string> = { orders: ORDERS, archive: ARCHIVE, salaries: SALARIES };

/** `write orders`, `read orders`, `read orders as billing`: in a group of one's own unless it is said in which. */
async function actOf(client: Agent, name: string): Promise<unknown> {
  const [verb, what = '', , group] = name.split(' ');
  if (verb === 'make') return await client.produce('spec.new');
  const topic = TOPICS[what] ?? '';
  return verb === 'write' ? await client.produce(topic) : await client.read(topic, group);
}

export function planOf(change: Partial<Plan> = {}): Plan {
  const leaseId = change.leaseId ?? v7();
  const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
  return {
    ...{ leaseId, provider: 'kafka', target: 'events', principal: principalOf(NAMESPACE, leaseId) },
    rights: [`write:topic:${ORDERS}`],
    ...{ createBy: inMs(55_000), notAfter: inMs(120_000), hardEnd: inMs(600_000) },
    ...change,
  };
}
