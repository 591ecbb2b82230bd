/** A small Mayfly for the specs: a real development trust domain, real service keys, real signatures, and no server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProofKey } from '#agent/proof-key.js';
import { signEvent } from '#agent/signed-event.js';
import type { BusRecord, OutgoingRecord } from '#bus/bus.js';
import { wireType, type InboundData, type InboundType } from '#events/inbound.js';
import { SERVICES, serviceSource, type ServiceName } from '#events/services.js';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import {
  DEVELOPMENT_LOGIN,
  ensureDevelopmentLogin,
  mintLogin,
} from '#identity/development/development-login.js';
import { ensureDevelopmentTrust } from '#identity/development/development-trust.js';
import { mintSvid } from '#identity/development/mint-svid.js';
import { ensureServiceKeys } from '#identity/development/service-keys.js';
import { loadPeerKeys, RecordSigner } from '#identity/records.js';
import { loadTrust } from '#identity/trust.js';
import type { LeafKeys } from '../src/leaf/entry.js';
import { makeEntry, type Entry } from '../src/leaf/entry.js';
import { judge, type Authorities } from '../src/leaf/judge.js';
import { Pseudonyms } from '../src/leaf/keys.js';

export const TASK = '01928c5e-0000-7000-8000-000000000001';
export const CALL = '01928c5e-0000-7000-8000-000000000002';
export const LEASE = '01928c5e-0000-7000-8000-000000000003';
export const ORCHESTRATOR = 'spiffe://dev.mayfly/orchestrator/sample';
export const ANALYST = 'spiffe://dev.mayfly/agent/analyst';
export const OPERATOR = 'spiffe://dev.mayfly/operator/dev';

const env = { MAYFLY_ENV: 'development' };

export const started: InboundData<'task.started'> = {
  taskId: TASK,
  purpose: 'Reconcile the invoices of Wanda Quixote',
  objectiveSha256: 'ab'.repeat(32),
  principal: { id: 'user:maria@corp.example', kind: 'human' },
  agents: [{ id: ANALYST }],
  declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
  deadline: '2026-11-24T19:45:00.000Z',
  risk: 'low',
  labels: { requester: 'Wanda Quixote' },
};

export class World {
  readonly #keys = new Map<string, ProofKey>();
  readonly #offsets = new Map<string, bigint>();
  #count = 0n;

  private constructor(
    readonly stateDir: string,
    readonly authorities: Authorities,
    readonly keys: LeafKeys,
    readonly signers: Record<ServiceName, RecordSigner>,
  ) {}

  static async open(): Promise<World> {
    const stateDir = await mkdtemp(join(tmpdir(), 'mayfly-audit-'));
    const { trustDomain, bundleFile } = await ensureDevelopmentTrust(stateDir, 'dev.mayfly', env);
    const files = await ensureServiceKeys(stateDir, env);
    const { jwksFile } = await ensureDevelopmentLogin(stateDir, env);
    const common = { audience: 'mayfly', development: true };
    const persons = { claim: 'email', domain: 'corp.example' };
    const trust = await loadTrust(
      [
        { ...common, type: 'spiffe', trustDomain, bundle: bundleFile },
        { ...common, type: 'oidc', issuer: DEVELOPMENT_LOGIN, jwks: jwksFile, persons },
      ],
      'development',
    );
    const signers = await Promise.all(
      SERVICES.map(
        async (service) =>
          [service, await RecordSigner.fromFile(files[service].signingKey, service)] as const,
      ),
    );
    return new World(
      stateDir,
      { trust, peers: await loadPeerKeys(files) },
      { pseudonyms: new Pseudonyms(Buffer.alloc(32, 7)), isPerson: (id) => id === OPERATOR },
      Object.fromEntries(signers) as Record<ServiceName, RecordSigner>,
    );
  }

  /** What an agent or orchestrator sends, as it is read from the topic now. */
  async said<T extends InboundType>(
    type: T,
    data: InboundData<T>,
    sender: string,
    id?: string,
  ): Promise<BusRecord> {
    const key = this.#keys.get(sender) ?? ProofKey.generate();
    this.#keys.set(sender, key);
    const svid = await this.svid(sender, `mayfly:jkt:${key.thumbprint}`);
    return this.read(signEvent({ type, data, svid, key, ...(id === undefined ? {} : { id }) }));
  }

  /** A record of one of our services. */
  wrote(
    service: ServiceName,
    type: string,
    data: object | Buffer | null,
    {
      topic = CREDENTIAL_EVENTS,
      key = TASK,
      id = this.id(),
    }: { topic?: string; key?: string; id?: string } = {},
  ): BusRecord {
    const head = {
      id,
      source: serviceSource(service),
      type: wireType(type),
      subject: key,
      time: '2026-11-24T19:31:00.000Z',
      contentType: 'application/json',
    };
    const value = data === null || Buffer.isBuffer(data) ? data : Buffer.from(JSON.stringify(data));
    this.#count += 1n;
    const headers = this.signers[service].sign({ topic, key, head, value }, `epoch.${this.#count}`);
    return this.read({ topic, key, value, headers });
  }

  /** As the bus would hand it over: on partition 0, behind the last one. */
  read({ topic, key, value, headers }: OutgoingRecord): BusRecord {
    const offset = this.#offsets.get(topic) ?? 0n;
    this.#offsets.set(topic, offset + 1n);
    const asRead = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const);
    return {
      topic,
      partition: 0,
      offset,
      appendedAtMs: Date.now(),
      key: Buffer.from(key),
      value,
      headers: Object.fromEntries(asRead),
    };
  }

  /** As it would stand in the log. */
  async entryOf(record: BusRecord): Promise<Entry> {
    return makeEntry(record, await judge(record, this.authorities), this.keys);
  }

  svid(id: string, audience = 'mayfly'): Promise<string> {
    return mintSvid({ stateDir: this.stateDir, id, audience, ttlS: 300, env });
  }

  /** The token of a person who has signed in. */
  login(person: string): Promise<string> {
    return mintLogin({ stateDir: this.stateDir, person, ttlS: 300, env });
  }

  /** Fixed ids in a row. */
  id(): string {
    this.#count += 1n;
    return `01928c5e-0000-7000-8000-${this.#count.toString(16).padStart(12, '0')}`.replace(
      '-8000-0',
      '-8000-f',
    );
  }

  close(): Promise<void> {
    return rm(this.stateDir, { recursive: true });
  }
}

/** Members that every event of our services carries. */
export const common = {
  taskId: TASK,
  generation: 1,
  tenant: 'corp',
  actor: '//mayfly/broker',
  at: '2026-11-24T19:31:00.000Z',
};
