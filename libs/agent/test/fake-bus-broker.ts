/** The fake broker behind a bus in memory: reads task events, and answers on the topics where the real one does, signed. */
import { v7 as uuidV7 } from 'uuid';
import type { BusRecord } from '#bus/bus.js';
import { wireType } from '#events/inbound.js';
import { CREDENTIAL_EVENTS, DELIVERY, TASK_EVENTS } from '#events/topics.js';
import { ensureServiceKeys } from '#identity/development/service-keys.js';
import type { Admitted } from '#identity/admit.js';
import { RecordSigner, loadPeerKeys, type PeerKeys } from '#identity/records.js';
import { FakeBus } from '../../../test/support/fake-bus.js';
import type { FakeBroker, Outcome } from './fake-broker.js';

const at = '2026-11-24T19:00:00.000Z';

export class FakeBusBroker {
  readonly bus = new FakeBus();
  #written = 0;

  private constructor(
    readonly peers: PeerKeys,
    private readonly broker: FakeBroker,
    private readonly signer: RecordSigner,
  ) {}

  static async open(broker: FakeBroker): Promise<FakeBusBroker> {
    const keys = await ensureServiceKeys(broker.stateDir, { MAYFLY_ENV: 'development' });
    const signer = await RecordSigner.fromFile(keys.broker.signingKey, 'broker');
    const fake = new FakeBusBroker(await loadPeerKeys(keys), broker, signer);
    await fake.bus.subscribe({
      group: 'broker',
      topics: [TASK_EVENTS],
      positions: () => Promise.resolve([]),
      onBatch: async (records) => {
        for (const record of records) await fake.#hear(record);
      },
      onCrash: (cause) => {
        throw cause;
      },
    });
    return fake;
  }

  /** Tells that a lease has ended, as the revoker's news reach the delivery topic. */
  leaseEnded(taskId: string, leaseId: string): Promise<void> {
    return this.#say(DELIVERY, 'lease.ended', taskId, { taskId, leaseId, cause: 'task_ended' });
  }

  /** Tells that a call waits for people. */
  callPending(taskId: string, callId: string, agent: string): Promise<void> {
    const waits = { approval: 'a-7', expiresAt: at };
    return this.#say(DELIVERY, 'call.pending', taskId, { taskId, callId, agent, ...waits });
  }

  close(): Promise<void> {
    return this.bus.close();
  }

  async #hear(record: BusRecord): Promise<void> {
    const { outcome, admitted } = this.broker.take(record);
    if (admitted === undefined) return this.#reject(record, outcome);
    const { event, ceId, sender } = admitted;
    const { taskId } = event.data;
    const common = { taskId, generation: 1, causedBy: ceId, actor: '//mayfly/broker', at };
    if (outcome.is === 'issued')
      return this.#say(
        DELIVERY,
        'credential.delivered',
        taskId,
        this.broker.envelope(admitted, outcome.plaintext),
      );
    if (event.type === 'lease.renewal_requested') return this.#answerRenewal(event.data, sender, outcome);
    if (outcome.is === 'taken' && event.type === 'task.ended')
      return this.#say(CREDENTIAL_EVENTS, 'task.ended', taskId, { ...common, outcome: event.data.outcome });
    if (outcome.is === 'taken' && event.type === 'task.amended')
      return this.#say(CREDENTIAL_EVENTS, 'task.amended', taskId, amended(common, admitted));
    if (outcome.is === 'taken')
      return this.#say(CREDENTIAL_EVENTS, 'task.accepted', taskId, accepted(common, admitted));
    if (outcome.is !== 'refused') return;
    const { code, reasons } = outcome;
    if (event.type === 'tool.called')
      return this.#say(DELIVERY, 'call.refused', taskId, {
        taskId,
        callId: event.data.callId,
        agent: sender,
        code,
        reasons,
      });
    const refused = event.type === 'task.amended' ? 'task.amendment_refused' : 'task.refused';
    return this.#say(CREDENTIAL_EVENTS, refused, taskId, {
      ...common,
      code,
      reason: reasons[0] ?? '',
      problems: reasons.map((reason) => ({ code, reason })),
    });
  }

  #answerRenewal(
    { taskId, leaseId }: { taskId: string; leaseId: string },
    agent: string,
    outcome: Outcome,
  ): Promise<void> {
    const common = { taskId, leaseId, agent };
    if (outcome.is === 'refused') {
      const { code, reasons } = outcome;
      return this.#say(DELIVERY, 'lease.renewal_refused', taskId, { ...common, code, reasons });
    }
    if (outcome.is !== 'renewed') return Promise.resolve();
    const { notAfter, plaintext } = outcome;
    return plaintext === undefined
      ? this.#say(DELIVERY, 'lease.renewed', taskId, { ...common, notAfter })
      : this.#say(DELIVERY, 'credential.delivered', taskId, this.broker.renewedEnvelope(plaintext));
  }

  #reject({ headers, topic, partition, offset }: BusRecord, outcome: Outcome): Promise<void> {
    if (outcome.is !== 'refused') return Promise.resolve();
    const taskId = String(headers.ce_subject);
    const where = {
      topic,
      partition,
      offset: String(offset),
      valueSha256: 'ab',
      ceId: String(headers.ce_id),
    };
    const data = { taskId, generation: 0, actor: '//mayfly/broker', at, code: outcome.code, record: where };
    return this.#say(CREDENTIAL_EVENTS, 'event.rejected', taskId, {
      ...data,
      reason: outcome.reasons[0] ?? '',
    });
  }

  #say(topic: string, type: string, key: string, data: object | string): Promise<void> {
    const isText = typeof data === 'string';
    const value = Buffer.from(isText ? data : JSON.stringify(data));
    const head = {
      id: uuidV7(),
      source: '//mayfly/broker',
      type: wireType(type),
      subject: key,
      time: at,
      contentType: isText ? 'application/jose' : 'application/json',
    };
    const headers = this.signer.sign({ topic, key, head, value }, `epoch.${(this.#written += 1)}`);
    return this.bus.publish([{ topic, key, value, headers }]);
  }
}

function amended(common: object, { event, sender }: Admitted): object {
  if (event.type !== 'task.amended') throw new TypeError('no amendment');
  const { taskId, declared = [], deadline = at } = event.data;
  return {
    ...common,
    ...{ generation: 2, orchestrator: sender, agents: [], declared, deadline, risk: 'low' },
    ...{ lineage: [{ taskId, generation: 2 }], policySet: 'sha256:0', bounds: sender, agentsMayEnd: false },
    ...{ delegable: [], limits: { maxCalls: 100, maxRows: 100 }, policies: [], inputs: 'sha256:0' },
    cause: 'amended',
  };
}

function accepted(common: object, { event, sender, proofKeyThumbprint }: Admitted): object {
  if (event.type !== 'task.started') throw new TypeError('no start');
  const { data } = event;
  return {
    ...common,
    orchestrator: sender,
    principal: { ...data.principal, proved: 'asserted' },
    purpose: data.purpose,
    objectiveSha256: data.objectiveSha256,
    agents: data.agents.map(({ id }) => id),
    declared: data.declared,
    deadline: data.deadline,
    risk: data.risk,
    lineage: [{ taskId: data.taskId, generation: 1 }],
    policySet: 'sha256:0',
    bounds: sender,
    agentsMayEnd: false,
    delegable: [],
    limits: { maxCalls: 100, maxRows: 100 },
    proofKey: proofKeyThumbprint,
    policies: [],
    inputs: 'sha256:0',
  };
}
