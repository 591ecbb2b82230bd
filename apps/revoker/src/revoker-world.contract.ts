/**
 * A revoker at work for integration specs: a schema of its own in DATABASE_URL, the sample's target in TARGET_URL, a bus in
 * memory, and the voices of everybody else: orchestrators, agents, and a broker with its true key.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { ProofKey } from '#agent/proof-key.js';
import { signEvent } from '#agent/signed-event.js';
import type { Consumer } from '#bus/bus.js';
import { wireType, type InboundData, type InboundType } from '#events/inbound.js';
import type { EventOf, OutboundEvent, OutboundType } from '#events/outbound.js';
import { serviceSource, type ServiceName } from '#events/services.js';
import { CREDENTIAL_EVENTS, REVOCATIONS, TASK_EVENTS } from '#events/topics.js';
import {
  DEVELOPMENT_LOGIN,
  ensureDevelopmentLogin,
  mintLogin,
} from '#identity/development/development-login.js';
import { developmentTrustFiles, ensureDevelopmentTrust } from '#identity/development/development-trust.js';
import { mintSvid } from '#identity/development/mint-svid.js';
import { ensureServiceKeys } from '#identity/development/service-keys.js';
import { loadPeerKeys, RecordSigner } from '#identity/records.js';
import { readSigningKey, type SigningKey } from '#identity/signing-key.js';
import { loadTrust, type Trust } from '#identity/trust.js';
import { loadCatalogue } from '#policy/load-catalogue.js';
import { openJwt } from '#providers/jwt/jwt-provider.js';
import { openSampleTarget, type SampleTarget } from '#providers/postgres/sample-target.contract.js';
import type { CredentialProvider, Plan } from '#providers/provider.js';
import { openDatabase, type Database } from '#store/database.js';
import { migrate } from '#store/migrate.js';
import { readPositions } from '#store/offsets.js';
import { Relay } from '#store/relay.js';
import { createLog } from '#telemetry/log.js';
import { Metrics } from '#telemetry/metrics.js';
import { FakeBus } from '../../../test/support/fake-bus.js';
import { Alive } from '#store/alive.js';
import { AGENT, inMs, intended, issued } from './broker-voice.contract.js';
import { BusOutlet } from './bus-outlet.js';
import { createMeasures } from './measures.js';
import { revokerMigrations } from './migrations.js';
import { GROUP } from './publish.js';
import { beginRecovery, type Sweeper } from './recover.js';
import { Revoker } from './revoker.js';
import { StatusLists } from './status/status-lists.js';
import { LISTS, TOKENS } from './token-plan.contract.js';
import type { RevokerParts } from './revoker-parts.js';

export const ORCHESTRATOR = 'spiffe://dev.mayfly/orchestrator/sample';
export const OPERATOR = 'spiffe://dev.mayfly/operator/dev';
export const STRANGER = 'spiffe://dev.mayfly/agent/stranger';

const env = { MAYFLY_ENV: 'development' };
/** Read once: nobody changes what was read. */
let read: ReturnType<typeof loadCatalogue> | undefined;
const sampleCatalogue = () =>
  (read ??= loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' }));

export interface Sender {
  send: <T extends InboundType>(type: T, data: InboundData<T>, id?: string) => Promise<void>;
}

export class World {
  readonly bus = new FakeBus();
  readonly logged: string[] = [];
  readonly log = createLog('revoker', { write: (line) => this.logged.push(line) });
  readonly #senders = new Map<string, Sender>();
  #consumer: Consumer | undefined;
  #revoker: Revoker | undefined;
  #relay: Relay | undefined;
  #alive: Alive | undefined;
  #sweeper: Sweeper | undefined;
  #outlet: BusOutlet | undefined;
  /** Of the revoker that was started last. */
  lists: StatusLists | undefined;
  #parts: RevokerParts | undefined;

  private constructor(
    private readonly stateDir: string,
    readonly db: Database,
    readonly target: SampleTarget,
    private readonly signers: Record<ServiceName, RecordSigner>,
    private readonly keys: Record<ServiceName, { signingKey: string; jwks: string }>,
    readonly trust: Trust,
  ) {}

  static async open(namespace: string): Promise<World> {
    const stateDir = await mkdtemp(join(tmpdir(), 'mayfly-revoker-'));
    await ensureDevelopmentTrust(stateDir, 'dev.mayfly', env);
    const keys = await ensureServiceKeys(stateDir, env);
    const [broker, revoker, auditor] = await Promise.all([
      RecordSigner.fromFile(keys.broker.signingKey, 'broker'),
      RecordSigner.fromFile(keys.revoker.signingKey, 'revoker'),
      RecordSigner.fromFile(keys.auditor.signingKey, 'auditor'),
    ]);
    const schema = `revoker_${randomBytes(6).toString('hex')}`;
    const url = process.env['DATABASE_URL'] ?? '';
    const db = openDatabase({ url, schema, application: 'revoker-spec', maxConnections: 16 });
    await db.pool.query(`CREATE SCHEMA ${schema}`);
    await migrate(db, revokerMigrations);
    const target = await openSampleTarget(namespace);
    return new World(stateDir, db, target, { broker, revoker, auditor }, keys, await trustIn(stateDir));
  }

  /** Starts a revoker. @param provider of the target `shop`; the sample's own unless told @param others further targets */
  async start(
    provider: CredentialProvider = this.target.revoker,
    others: Readonly<Record<string, CredentialProvider>> = {},
  ): Promise<Revoker> {
    const { db, bus } = this;
    const { log, trust } = this;
    const warn = (fields: object, message: string) => log.warn(fields, message);
    const peers = await loadPeerKeys(this.keys);
    const { catalogue } = await sampleCatalogue();
    const relay = new Relay({
      db,
      bus,
      warn,
      sign: (record, store) => this.signers.revoker.sign(record, store),
    });
    await beginRecovery(db, bus, peers, log);
    await relay.start();
    const alive = await Alive.as(randomUUID(), db, warn);
    const outlet = new BusOutlet({ db, log, publish: (records) => relay.send(records) });
    outlet.follow(bus, peers);
    this.#outlet = outlet;
    this.lists = new StatusLists({ db, key: await this.key(), lists: LISTS, ttlMs: 40_000, validMs: 60_000 });
    const parts: RevokerParts = {
      db,
      send: (records) => void relay.send(records),
      trust,
      peers,
      catalogue,
      providers: new Map([
        ['shop', provider],
        ['orders-api', openJwt(TOKENS, log, { outlet, maxClockSkewMs: 2_000 })],
        ...Object.entries(others),
      ]),
      lists: this.lists,
      maxClockSkewMs: 2_000,
      instanceId: alive.instanceId,
      measures: createMeasures(new Metrics('revoker')),
      log,
    };
    this.#parts = parts;
    const revoker = new Revoker(parts, (cause) => this.logged.push(`dead ${cause.stack}`));
    await revoker.start();
    revoker.orders.reach(bus);
    this.#consumer = await bus.subscribe({
      group: GROUP,
      topics: [TASK_EVENTS, CREDENTIAL_EVENTS],
      positions: (assigned) => readPositions(db, GROUP, assigned),
      onBatch: (records) =>
        records[0]?.topic === TASK_EVENTS ? revoker.onTaskEvents(records) : revoker.onLeaseEvents(records),
      onCrash: (error) => this.logged.push(`crash ${error.stack}`),
    });
    this.#revoker = revoker;
    this.#relay = relay;
    this.#alive = alive;
    return revoker;
  }

  /** Starts a revoker that also sweeps where that is ordered. */
  async startSweeping(provider?: CredentialProvider): Promise<void> {
    this.#sweeper = (await this.start(provider)).sweeper(this.bus);
    this.#sweeper.start();
  }

  /** With which the revoker signs. */
  key(): Promise<SigningKey> {
    return readSigningKey(this.keys.revoker.signingKey);
  }

  async stop(): Promise<void> {
    await this.#sweeper?.stop();
    await this.#consumer?.stop();
    await this.#revoker?.stop();
    this.bus.away = false;
    await this.#outlet?.close();
    await this.#relay?.stop();
    this.#alive?.stop();
    this.#consumer = this.#revoker = this.#relay = this.#alive = this.#sweeper = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.target.close();
    await this.db.pool.query(`DROP SCHEMA ${this.db.schema} CASCADE`);
    await this.db.close();
    await rm(this.stateDir, { recursive: true, force: true });
  }

  /** An identity of the development trust domain, with one proof key. */
  async as(id: string): Promise<Sender> {
    const known = this.#senders.get(id);
    if (known !== undefined) return known;
    const sender = await this.withAnotherKey(id);
    this.#senders.set(id, sender);
    return sender;
  }

  /** Of an identity; over HTTP unless told for another audience. */
  svid(id: string, audience = 'mayfly', ttlS = 3_600): Promise<string> {
    return mintSvid({ stateDir: this.stateDir, id, audience, ttlS, env });
  }

  /** Of a service that asks over HTTP. */
  shortSvid(id: string): Promise<string> {
    return mintSvid({ stateDir: this.stateDir, id, audience: 'mayfly', ttlS: 300, env });
  }

  /** The token of a person who has signed in. */
  login(person: string, change: { ttlS?: number; nowMs?: number } = {}): Promise<string> {
    return mintLogin({ stateDir: this.stateDir, person, ttlS: 300, env, ...change });
  }

  async withAnotherKey(id: string): Promise<Sender> {
    const key = ProofKey.generate();
    const svid = await this.svid(id, `mayfly:jkt:${key.thumbprint}`);
    return {
      send: (type, data, ceId) =>
        this.bus.publish([signEvent({ type, data, svid, key, ...(ceId === undefined ? {} : { id: ceId }) })]),
    };
  }

  /** A task as its orchestrator declares it. */
  async startTask(taskId: string, more: Partial<InboundData<'task.started'>> = {}): Promise<void> {
    const orchestrator = await this.as(ORCHESTRATOR);
    await orchestrator.send('task.started', {
      taskId,
      purpose: 'Reconcile October invoices',
      objectiveSha256: 'ab'.repeat(32),
      principal: { id: 'user:maria@corp.example', kind: 'human' },
      agents: [{ id: AGENT }],
      declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
      deadline: inMs(3_600_000),
      risk: 'low',
      ...more,
    });
  }

  async endTask(taskId: string, by = ORCHESTRATOR, ceId?: string): Promise<void> {
    await (await this.as(by)).send('task.ended', { taskId, outcome: 'completed' }, ceId);
  }

  /** The broker's word; `by` another key, for what only pretends to be. @param n the counter of its store */
  async say(event: OutboundEvent, by: ServiceName = 'broker', n = ++this.#said): Promise<void> {
    const record = {
      topic: CREDENTIAL_EVENTS,
      key: event.data.taskId,
      head: {
        id: uuidv7(),
        source: serviceSource(by),
        type: wireType(event.type),
        subject: event.data.taskId,
        time: inMs(0),
        contentType: 'application/json',
      },
      value: Buffer.from(JSON.stringify(event.data)),
    };
    const headers = this.signers[by].sign(record, `specs.${n}`);
    await this.bus.publish([{ ...record, headers }]);
  }
  #said = 0;

  readonly intended = intended;
  readonly issued = issued;

  /** Of the revoker that was started last. */
  get parts(): RevokerParts {
    if (this.#parts === undefined) throw new Error('no revoker is started');
    return this.#parts;
  }

  /** Requires a revoker that is started. */
  get outlet(): BusOutlet {
    if (this.#outlet === undefined) throw new Error('no revoker is started');
    return this.#outlet;
  }

  /** Verifiers know of it, as far as the revoker's own look at the topic says. */
  looks(plan: Plan): 'dead' | 'live' | 'unknown' | undefined {
    const { leaseId, token } = plan;
    return this.#outlet?.look({ leaseId, agent: token?.agent ?? null, lineage: token?.lineage ?? [] });
  }

  /** What the revoker said of a lease, in order. */
  said(leaseId: string): OutboundEvent[] {
    return this.#saidByRevoker().filter(({ data }) => 'leaseId' in data && data.leaseId === leaseId);
  }

  /** All that the revoker said of a type, in order. */
  saidOf<T extends OutboundType>(type: T): EventOf<T>['data'][] {
    return this.#saidByRevoker().flatMap((event) =>
      event.type === type ? [event.data as EventOf<T>['data']] : [],
    );
  }

  /** A record may come twice: readers go by its id. */
  #saidByRevoker(): OutboundEvent[] {
    const said = new Map<string, OutboundEvent>();
    for (const { headers, value } of this.bus.records(CREDENTIAL_EVENTS)) {
      if (headers['ce_source']?.toString() !== serviceSource('revoker')) continue;
      const type = (headers['ce_type'] ?? '').toString().replace(/^dev\.mayfly\.(.*)\.v1$/, '$1');
      const data = JSON.parse(value?.toString() ?? 'null') as object;
      said.set((headers['ce_id'] ?? '').toString(), { type, data } as OutboundEvent);
    }
    return [...said.values()];
  }

  /** Waits for the revoker to say it. @throws Error with what it logged, in the end */
  async hears<T extends OutboundType>(
    leaseId: string,
    type: T,
    withinMs?: number,
  ): Promise<EventOf<T>['data']> {
    const found = () => this.said(leaseId).find((event) => event.type === type);
    await this.until(() => found() !== undefined, `${type} of ${leaseId}`, withinMs);
    return found()?.data as EventOf<T>['data'];
  }

  async until(condition: () => boolean | Promise<boolean>, what: string, withinMs = 30_000): Promise<void> {
    const endMs = Date.now() + withinMs;
    while (!(await condition())) {
      if (Date.now() > endMs) throw new Error(`waited in vain for ${what}\n${this.logged.join('')}`);
      await sleep(5);
    }
  }

  /** Waits until everything on the bus has been handled. */
  async quiet(withinMs?: number): Promise<void> {
    await this.until(
      async () => {
        const positions = await readPositions(
          this.db,
          GROUP,
          await this.bus.ends([TASK_EVENTS, CREDENTIAL_EVENTS]),
        );
        const ends = await this.bus.ends([TASK_EVENTS, CREDENTIAL_EVENTS]);
        return ends.every(({ topic, partition, next }) => {
          const position = positions.find((p) => p.topic === topic && p.partition === partition);
          return next === 0n || position?.next === next;
        });
      },
      'the bus to be read',
      withinMs,
    );
  }

  async stateOf(leaseId: string): Promise<string | undefined> {
    const { rows } = await this.db.pool.query<{ state: string }>(
      'SELECT state FROM lease WHERE lease_id = $1',
      [leaseId],
    );
    return rows[0]?.state;
  }

  /** The last record of a key on the revocations topic. */
  revocation(key: string): Record<string, unknown> | undefined {
    const record = this.bus.records(REVOCATIONS).findLast((each) => each.key?.toString() === key);
    return record === undefined
      ? undefined
      : (JSON.parse(record.value?.toString() ?? 'null') as Record<string, unknown>);
  }
}

async function trustIn(stateDir: string): Promise<Trust> {
  const { bundleFile: bundle } = developmentTrustFiles(stateDir);
  const domain = { trustDomain: 'dev.mayfly', bundle, audience: 'mayfly', development: true };
  const login = {
    ...{ type: 'oidc' as const, issuer: DEVELOPMENT_LOGIN, audience: 'mayfly', development: true },
    jwks: (await ensureDevelopmentLogin(stateDir, env)).jwksFile,
    persons: { claim: 'email', domain: 'corp.example' },
  };
  return await loadTrust([{ type: 'spiffe', ...domain }, login], 'development');
}
