/** Everybody who speaks to a broker: orchestrators and agents with their keys, and the revoker with its own. */
import { v7 as uuidv7 } from 'uuid';
import { ProofKey } from '#agent/proof-key.js';
import { generateSealKey } from '#agent/seal-key.js';
import { signEvent } from '#agent/signed-event.js';
import type { BusRecord, OutgoingRecord } from '#bus/bus.js';
import { wireType, type InboundData, type InboundType, type ToolCalled } from '#events/inbound.js';
import type { CutCause } from '#events/causes.js';
import type { OutboundEvent } from '#events/outbound.js';
import { serviceSource, type ServiceName } from '#events/services.js';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import { mintSvid } from '#identity/development/mint-svid.js';
import type { RecordSigner } from '#identity/records.js';

export const ORCHESTRATOR = 'spiffe://dev.mayfly/orchestrator/sample';
export const ANALYST = 'spiffe://dev.mayfly/agent/analyst';
export const PLANNER = 'spiffe://dev.mayfly/agent/planner';
export const STRANGER = 'spiffe://dev.mayfly/agent/stranger';

export const env = { MAYFLY_ENV: 'development' };
export const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();

export interface Speaker {
  id: string;
  key: ProofKey;
  svid: string;
}

/** What a call is sealed to, in every spec: the specs open envelopes with it. */
export const sealKey = generateSealKey();

/** A task of the sample world: one agent that may read orders, and is declared for salaries. */
export const started = (
  taskId: string,
  change: Partial<InboundData<'task.started'>> = {},
): InboundData<'task.started'> => ({
  taskId,
  purpose: 'Reconcile October invoices',
  objectiveSha256: 'ab'.repeat(32),
  principal: { id: 'user:maria@corp.example', kind: 'human' },
  agents: [{ id: ANALYST }],
  declared: [
    { tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] },
    { tool: 'sql.query', dataset: 'hr.salaries', actions: ['read'] },
  ],
  deadline: inMs(3_600_000),
  risk: 'low',
  ...change,
});

export const called = (taskId: string, change: Partial<ToolCalled> = {}): ToolCalled => ({
  taskId,
  callId: uuidv7(),
  tool: 'sql.query',
  dataset: 'crm.orders',
  action: 'read',
  sealTo: sealKey.publicJwk,
  ...change,
});

export class Voices {
  readonly #speakers = new Map<string, Speaker>();
  readonly #offsets = new Map<string, bigint>();
  #said = 0;

  constructor(
    private readonly stateDir: string,
    private readonly signers: Record<ServiceName, RecordSigner>,
  ) {}

  /** An identity of the development trust domain, with one proof key. */
  async as(id: string): Promise<Speaker> {
    const known = this.#speakers.get(id);
    if (known !== undefined) return known;
    const speaker = await this.newly(id);
    this.#speakers.set(id, speaker);
    return speaker;
  }

  /** The same identity with a key of its own. */
  async newly(
    id: string,
    { audience, ttlS = 3_600, nowMs = Date.now() }: { audience?: string; ttlS?: number; nowMs?: number } = {},
  ): Promise<Speaker> {
    const key = ProofKey.generate();
    const svid = await mintSvid({
      stateDir: this.stateDir,
      id,
      audience: audience ?? `mayfly:jkt:${key.thumbprint}`,
      ttlS,
      nowMs,
      env,
    });
    return { id, key, svid };
  }

  /** An event as it will be read from the task topic. */
  async says<T extends InboundType>(
    by: string | Speaker,
    type: T,
    data: InboundData<T>,
    id: string = uuidv7(),
  ): Promise<BusRecord> {
    const { svid, key } = typeof by === 'string' ? await this.as(by) : by;
    return this.read(signEvent({ type, data, svid, key, id }));
  }

  starts(taskId: string, change?: Partial<InboundData<'task.started'>>, by = ORCHESTRATOR) {
    return this.says(by, 'task.started', started(taskId, change));
  }

  ends(taskId: string, by: string | Speaker = ORCHESTRATOR) {
    return this.says(by, 'task.ended', { taskId, outcome: 'completed' });
  }

  calls(taskId: string, change?: Partial<ToolCalled>, by: string | Speaker = ANALYST) {
    return this.says(by, 'tool.called', called(taskId, change));
  }

  renews(taskId: string, leaseId: string, ttlMs?: number, by: string | Speaker = ANALYST) {
    return this.says(by, 'lease.renewal_requested', {
      taskId,
      leaseId,
      ...(ttlMs === undefined ? {} : { ttlMs }),
    });
  }

  /** The revoker goes for a lease; `by` another service, for what only pretends to be. */
  revokes(taskId: string, leaseId: string, cause: CutCause, by: ServiceName = 'revoker'): BusRecord {
    const [actor, at] = [serviceSource(by), inMs(0)];
    const data = { taskId, generation: 1, actor, at, leaseId, cause, requestedAt: at };
    return this.tells({ type: 'lease.revocation_requested', data }, by);
  }

  /** What the revoker says, as it will be read from the credential topic; `by` another service, for what only pretends to be. */
  tells({ type, data }: OutboundEvent, by: ServiceName = 'revoker', id: string = uuidv7()): BusRecord {
    const unsigned = {
      topic: CREDENTIAL_EVENTS,
      key: data.taskId,
      head: {
        ...{ id, source: serviceSource(by), type: wireType(type), subject: data.taskId, time: data.at },
        contentType: 'application/json',
      },
      value: Buffer.from(JSON.stringify(data)),
    };
    this.#said += 1;
    return this.read({ ...unsigned, headers: this.signers[by].sign(unsigned, `specs.${this.#said}`) });
  }

  /** The revoker has swept every target after the restore of the broker's database. */
  sweeps(epoch: string, by: ServiceName = 'revoker'): OutgoingRecord {
    const at = inMs(0);
    const unsigned = {
      topic: CREDENTIAL_EVENTS,
      key: 'store',
      head: {
        id: uuidv7(),
        source: serviceSource(by),
        type: wireType('store.restored'),
        subject: 'store',
        time: at,
        contentType: 'application/json',
      },
      value: Buffer.from(
        JSON.stringify({
          ...{ taskId: 'store', generation: 0, actor: serviceSource(by), at },
          ...{ service: 'broker', epoch, swept: true },
        }),
      ),
    };
    this.#said += 1;
    return { ...unsigned, headers: this.signers[by].sign(unsigned, `specs.${this.#said}`) };
  }

  /** As the bus hands it over: on partition 0, behind the last one. */
  read({ topic, key, value, headers }: OutgoingRecord): BusRecord {
    const offset = this.#offsets.get(topic) ?? 0n;
    this.#offsets.set(topic, offset + 1n);
    return {
      topic,
      partition: 0,
      offset,
      appendedAtMs: Date.now(),
      key: Buffer.from(key),
      value,
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const),
      ),
    };
  }

  /** The same record, read once more further on. */
  again(record: BusRecord): BusRecord {
    const offset = this.#offsets.get(record.topic) ?? 0n;
    this.#offsets.set(record.topic, offset + 1n);
    return { ...record, offset };
  }
}
