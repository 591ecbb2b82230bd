/**
 * Brokers at work for integration specs: a schema of their own in DATABASE_URL, the sample's policy and catalogue, real
 * keys and signatures, a target and a bus in memory. What a broker said is read back with its signature verified.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { BusRecord, OutgoingRecord } from '#bus/bus.js';
import type { Catalogue } from '#events/catalogue.js';
import { shortType } from '#events/inbound.js';
import { APPROVAL_RULES } from '#events/approval-facts.js';
import { DRIFT_RULES } from '#events/drift.js';
import { CREDENTIAL_DELIVERED, outboundSchemas, type EventOf, type OutboundType } from '#events/outbound.js';
import { CREDENTIAL_EVENTS, deadLetterTopic, DELIVERY, TASK_EVENTS } from '#events/topics.js';
import { ensureDevelopmentTrust } from '#identity/development/development-trust.js';
import {
  DEVELOPMENT_LOGIN,
  ensureDevelopmentLogin,
  mintLogin,
} from '#identity/development/development-login.js';
import { mintSvid } from '#identity/development/mint-svid.js';
import { ensureServiceKeys } from '#identity/development/service-keys.js';
import { loadPeerKeys, RecordSigner, verifyRecord, type PeerKeys } from '#identity/records.js';
import { loadTrust, type Trust } from '#identity/trust.js';
import { loadCatalogue } from '#policy/load-catalogue.js';
import { PolicySet } from '#policy/policy-set.js';
import { openJwt } from '#providers/jwt/jwt-provider.js';
import { jwtSettings } from '#providers/jwt/settings.js';
import type { CredentialProvider } from '#providers/provider.js';
import type { Database } from '#store/database.js';
import { Relay } from '#store/relay.js';
import { createLog } from '#telemetry/log.js';
import { freshSchema, type FreshSchema } from '../../../libs/store/test/fresh-schema.js';
import { FakeBus } from '../../../test/support/fake-bus.js';
import type { BrokerParts } from '../src/broker-parts.js';
import { Metrics } from '#telemetry/metrics.js';
import { breakersTold, CreateBreakers } from '../src/create-breakers.js';
import { createMeasures } from '../src/measures.js';
import { Alive, isDead } from '#store/alive.js';
import { boardOver, renewalBoardOver } from '../src/answer-board.js';
import { Broker } from '../src/broker.js';
import { ensureKeyEncryptionKey } from '../src/development/key-encryption-key.js';
import { brokerMigrations } from '../src/migrations.js';
import { createNotificationMeasures } from '../src/notifications/measures.js';
import type { NotifyPace } from '../src/notifications/notifier.js';
import { nameReceivers, type Receiver } from '../src/notifications/receivers.js';
import { FileKeyWrap } from '../src/tokens/key-wrap.js';
import { noncesOf, type Tokens } from '../src/tokens/open-tokens.js';
import { StatusIndex } from '../src/tokens/status-index.js';
import { TokenKeys, type TokenKeyParts } from '../src/tokens/token-keys.js';
import { recoverLeases } from '../src/recover-leases.js';
import { recoverRenewals } from '../src/recover-renewals.js';
import { FakeTarget } from './fake-target.js';
import { env, Voices } from './voices.js';

export const ISSUER = 'https://mayfly.example';
export const STATUS_LISTS = 'https://mayfly.example/status';
const ORDERS_API = jwtSettings.parse({
  id: 'orders-api',
  provider: 'jwt',
  maxTtlMs: 300_000,
  audience: 'http://127.0.0.1:7080',
});

/** Read once: nobody changes what was read. */
let read: Promise<{ catalogue: Catalogue; policy: PolicySet }> | undefined;
const sampleRules = () => (read ??= readSampleRules());
async function readSampleRules(): Promise<{ catalogue: Catalogue; policy: PolicySet }> {
  const { catalogue } = await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' });
  return { catalogue, policy: await PolicySet.load('deploy/sample/policy') };
}

/** A bus whose acknowledgements can be held back. */
class HeldBus extends FakeBus {
  #gate: Promise<void> = Promise.resolve();
  #open: () => void = () => {};

  hold(): void {
    this.#gate = new Promise((resolve) => (this.#open = resolve));
  }

  release(): void {
    this.#open();
    this.#gate = Promise.resolve();
  }

  override async publish(records: readonly OutgoingRecord[]): Promise<void> {
    await this.#gate;
    await super.publish(records);
  }
}

/** One broker process. */
export class BrokerProcess {
  readonly broker: Broker;
  #dead = false;

  constructor(
    readonly parts: BrokerParts,
    private readonly alive: Alive,
  ) {
    this.broker = new Broker(parts, (cause) => {
      throw cause;
    });
  }

  /** Resolves once what the records said is stored. */
  async hear(...records: BusRecord[]): Promise<void> {
    await this.broker.onTaskEvents(records);
    await this.broker.tasks.idle();
  }

  async hearRevoker(...records: BusRecord[]): Promise<void> {
    await this.broker.onCredentialEvents(records);
    await this.broker.credentials.idle();
  }

  recover(): Promise<void> {
    return recoverLeases(this.parts, this.broker.issuer);
  }

  recoverRenewals(): Promise<void> {
    return recoverRenewals(this.parts, this.broker.renewer);
  }

  /** As kill -9 does to others' eyes: its session is gone, and the database knows. What it was waiting for may yet come back to it. */
  async die(): Promise<void> {
    this.#loseSession();
    while (!(await isDead(this.parts.db.pool, this.parts.instanceId))) await sleep(5);
  }

  async stop(): Promise<void> {
    await this.broker.stop();
    await this.parts.relay.stop();
    this.#loseSession();
  }

  #loseSession(): void {
    if (!this.#dead) this.alive.stop();
    this.#dead = true;
  }
}

/** What was delivered to agents: an envelope (`jwe`), or an answer or notice (`data`). */
export interface Delivered {
  type: string;
  jwe: string;
  data: Record<string, unknown>;
}

export class World {
  /** Whom brokers that start from now on tell outside the bus. */
  notify: { receivers: Receiver[]; pace?: Partial<NotifyPace> } = { receivers: [] };
  readonly bus = new HeldBus();
  readonly target = new FakeTarget();
  readonly logged: string[] = [];
  approvals = { ...APPROVAL_RULES };
  /** Of the brokers that are started from now on. */
  drift = DRIFT_RULES;
  readonly #processes: BrokerProcess[] = [];

  private constructor(
    private readonly stateDir: string,
    readonly schema: FreshSchema,
    readonly voices: Voices,
    private readonly signer: RecordSigner,
    private readonly peers: PeerKeys,
    private readonly trust: Trust,
    private readonly catalogue: Catalogue,
    private readonly policy: PolicySet,
  ) {}

  /** The token of a person who has signed in. */
  login(person: string, change: { ttlS?: number; nowMs?: number } = {}): Promise<string> {
    return mintLogin({ stateDir: this.stateDir, person, ttlS: 300, env, ...change });
  }

  svid(id: string, audience: string, ttlS: number): Promise<string> {
    return mintSvid({ stateDir: this.stateDir, id, audience, ttlS, env });
  }

  static async open(): Promise<World> {
    const stateDir = await mkdtemp(join(tmpdir(), 'mayfly-broker-'));
    const { trustDomain, bundleFile } = await ensureDevelopmentTrust(stateDir, 'dev.mayfly', env);
    const keys = await ensureServiceKeys(stateDir, env);
    const [broker, revoker, auditor] = await Promise.all([
      RecordSigner.fromFile(keys.broker.signingKey, 'broker'),
      RecordSigner.fromFile(keys.revoker.signingKey, 'revoker'),
      RecordSigner.fromFile(keys.auditor.signingKey, 'auditor'),
    ]);
    const issuer = { type: 'spiffe', trustDomain, bundle: bundleFile, audience: 'mayfly' } as const;
    const { catalogue, policy } = await sampleRules();
    return new World(
      stateDir,
      await freshSchema('broker', brokerMigrations),
      new Voices(stateDir, { broker, revoker, auditor }),
      broker,
      await loadPeerKeys(keys),
      await loadTrust(
        [
          { ...issuer, development: true },
          {
            ...{ type: 'oidc', issuer: DEVELOPMENT_LOGIN, audience: 'mayfly', development: true },
            jwks: (await ensureDevelopmentLogin(stateDir, env)).jwksFile,
            persons: { claim: 'email', domain: 'corp.example' },
          },
        ],
        'development',
      ),
      catalogue,
      policy,
    );
  }

  /**
   * Starts a broker, or one more.
   * @param tokens it makes some; rotated by schedule hardly ever, unless told
   */
  async start(tokens?: Partial<TokenKeyParts['schedule']>): Promise<BrokerProcess> {
    const { bus, target, trust, peers, catalogue } = this;
    const log = createLog('broker', { level: 'debug', write: (line) => this.logged.push(line) });
    const warn = (fields: object, message: string) => log.warn(fields, message);
    const db = this.schema.open();
    const sign: ConstructorParameters<typeof Relay>[0]['sign'] = (record, store) =>
      this.signer.sign(record, store);
    const relay = new Relay({ db, bus, warn, sign });
    await relay.start();
    await nameReceivers(db, this.notify.receivers);
    const instanceId = randomUUID();
    const making = tokens === undefined ? null : await this.#tokens(db, relay, tokens);
    const providers = new Map<string, CredentialProvider>([['shop', target]]);
    const means = { maxClockSkewMs: 2_000, ...(making === null ? {} : { signer: making.keys }) };
    providers.set('orders-api', openJwt(ORDERS_API, log, means));
    const metrics = new Metrics('broker');
    const measures = createMeasures(metrics);
    const process = new BrokerProcess(
      {
        db,
        relay,
        trust,
        peers,
        catalogue,
        judge: this.policy,
        approvals: this.approvals,
        drift: this.drift,
        maxDepth: 8,
        providers,
        breakers: new CreateBreakers(breakersTold(measures, log)),
        tokens: making,
        board: boardOver(db, warn),
        renewals: renewalBoardOver(db, warn),
        instanceId,
        log,
        measures,
        notifying: { ...this.notify, broker: ISSUER, measures: createNotificationMeasures(metrics) },
      },
      await Alive.as(instanceId, db, warn),
    );
    this.#processes.push(process);
    return process;
  }

  async #tokens(db: Database, relay: Relay, schedule: Partial<TokenKeyParts['schedule']>): Promise<Tokens> {
    const wrap = await FileKeyWrap.fromFile(await ensureKeyEncryptionKey(this.stateDir, env));
    const keys = await TokenKeys.open({
      ...{ db, wrap, issuer: ISSUER, send: (queued) => void relay.send(queued) },
      schedule: { rotateEveryMs: 86_400_000, publishAheadMs: 60_000, ...schedule },
    });
    const onError = (error: unknown) => void this.logged.push(String(error));
    const nonces = await noncesOf({ db, wrap });
    return { keys, nonces, status: await StatusIndex.open({ db, wrap, lists: STATUS_LISTS, onError }) };
  }

  async close(): Promise<void> {
    this.target.answerAll();
    this.bus.away = false;
    this.bus.release();
    await Promise.all(this.#processes.map((process) => process.stop()));
    await this.schema.drop();
    await rm(this.stateDir, { recursive: true, force: true });
  }

  /** What was said of a task, in order. @param taskId `unknown`: of records that name none */
  events<T extends OutboundType>(taskId: string, type: T): EventOf<T>['data'][] {
    return this.#said(CREDENTIAL_EVENTS, taskId)
      .filter((said) => said.type === type)
      .map(({ record }) => outboundSchemas[type].parse(json(record)) as EventOf<T>['data']);
  }

  typesOf(taskId: string): string[] {
    return this.#said(CREDENTIAL_EVENTS, taskId).map(({ type }) => type);
  }

  delivered(taskId: string): Delivered[] {
    return this.#said(DELIVERY, taskId).map(({ type, record }) =>
      type === CREDENTIAL_DELIVERED
        ? { type, jwe: (record.value ?? '').toString(), data: {} }
        : { type, jwe: '', data: json(record) as Record<string, unknown> },
    );
  }

  get deadLetters(): BusRecord[] {
    return this.bus.records(deadLetterTopic('broker', TASK_EVENTS));
  }

  /** Waits for events to be said. @throws Error with what was logged, after half a minute */
  async hears<T extends OutboundType>(taskId: string, type: T, count = 1): Promise<EventOf<T>['data'][]> {
    await this.until(() => this.events(taskId, type).length >= count, `${count} ${type}`);
    return this.events(taskId, type);
  }

  async delivers(taskId: string, type: string, count = 1): Promise<Delivered[]> {
    const found = () => this.delivered(taskId).filter((each) => each.type === type);
    await this.until(() => found().length >= count, `${count} ${type}`);
    return found();
  }

  async until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    for (const endMs = Date.now() + 30_000; !(await condition());) {
      if (Date.now() > endMs) throw new Error(`waited in vain for ${what}\n${this.logged.join('')}`);
      await sleep(5);
    }
  }

  /**
   * Hears records with a good task behind them in the same batch, which must come to its credential.
   * @returns the good task's id
   */
  async hearWithGoodTask(broker: BrokerProcess, ...records: BusRecord[]): Promise<string> {
    const good = uuidv7();
    await broker.hear(...records, await this.voices.starts(good), await this.voices.calls(good));
    await this.hears(good, 'lease.issued');
    await this.quiet();
    return good;
  }

  /** Waits until nothing is on its way to the bus. */
  async quiet(): Promise<void> {
    await this.until(async () => (await this.query('SELECT 1 FROM outbox')).length === 0, 'the outbox');
  }

  /** The deadline of a task has come, in its row and in its stream: no spec waits for it, or has to be done before it. */
  async passDeadline(taskId: string): Promise<void> {
    const nowMs = Date.now();
    await this.query(
      `UPDATE event SET data = jsonb_set(data, '{deadline}', to_jsonb($2::text)) WHERE stream = $1 AND type = 'task.accepted'`,
      [taskId, new Date(nowMs).toISOString()],
    );
    await this.query(
      `UPDATE task SET deadline_at = $2, state = jsonb_set(state, '{declaration,deadlineMs}', to_jsonb($3::bigint))
        WHERE task_id = $1`,
      [taskId, new Date(nowMs), nowMs],
    );
  }

  async query<R extends object>(sql: string, values: unknown[] = []): Promise<R[]> {
    return (await this.schema.db.pool.query<R>(sql, values)).rows;
  }

  /** What was said again is said once: a relay that takes over sends what may have been sent. */
  #said(topic: string, taskId: string): { type: string; record: BusRecord }[] {
    const heard = new Set<string>();
    return this.bus.records(topic).flatMap((record) => {
      if (record.key?.toString() !== taskId) return [];
      const verified = verifyRecord(record, this.peers);
      if (!verified.ok) throw new Error(`a record of ours does not verify: ${verified.refusal.code}`);
      if (heard.has(verified.head.id)) return [];
      heard.add(verified.head.id);
      return [{ type: shortType(verified.head.type) ?? '', record }];
    });
  }
}

const json = (record: BusRecord): unknown => JSON.parse((record.value ?? 'null').toString());
