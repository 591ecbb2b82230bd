/**
 * The sample's orchestrator and analyst with all their keys and SVIDs made beforehand. The load shares the machine with what is
 * measured, so it reads no more than it has to: signatures of answers are left to the tests, and the topic of all events is
 * followed only where an event is waited for.
 */
import { v7 as uuidv7 } from 'uuid';
import { envelopeHeader } from '../dist/libs/agent/src/open-envelope.js';
import { ProofKey } from '../dist/libs/agent/src/proof-key.js';
import { generateSealKey } from '../dist/libs/agent/src/seal-key.js';
import { signEvent } from '../dist/libs/agent/src/signed-event.js';
import { openKafka } from '../dist/libs/bus/src/kafka/kafka-bus.js';
import { CREDENTIAL_EVENTS, DELIVERY } from '../dist/libs/events/src/topics.js';
import { mintLogin } from '../dist/libs/identity/src/development/development-login.js';
import { mintSvid } from '../dist/libs/identity/src/development/mint-svid.js';
import { createLog } from '../dist/libs/telemetry/src/log.js';

export const ORCHESTRATOR = 'spiffe://dev.mayfly/orchestrator/sample';
export const ANALYST = 'spiffe://dev.mayfly/agent/analyst';
export const PLANNER = 'spiffe://dev.mayfly/agent/planner';
export const EXECUTOR = 'spiffe://dev.mayfly/agent/executor';
const OPERATOR = 'user:nadia@corp.example';
/** What the sample's tools do: a query with a database user, a request with a token. */
export const ON_A_DATABASE = { tool: 'sql.query', dataset: 'crm.orders', action: 'read' };
export const WITH_A_TOKEN = { tool: 'orders.api', dataset: 'orders', action: 'read' };
/** As declarations name what calls do. */
export const triples = (...calls) =>
  calls.map(({ tool, dataset, action }) => ({ tool, dataset, actions: [action] }));
const WITHIN_MS = 120_000;

export const typeOf = (record) => String(record.headers.ce_type ?? '').replace(/^dev\.mayfly\.|\.v1$/g, '');

export class SampleWorld {
  #waiting = new Map();

  static async open(stack) {
    const world = new SampleWorld();
    world.stack = stack;
    world.stateDir = stack.stateDir;
    world.bus = await openKafka(
      { brokers: stack.addresses.kafka.split(','), clientId: 'bench' },
      createLog('bench', { level: 'silent' }),
    );
    [world.orchestrator, world.analyst] = await Promise.all([
      world.identity(ORCHESTRATOR),
      world.identity(ANALYST),
    ]);
    world.sealKey = generateSealKey();
    world.answers = await world.follow(DELIVERY, (record) => {
      const type = typeOf(record);
      if (type === 'credential.delivered') {
        const envelope = String(record.value);
        world.#settle(`answer ${envelopeHeader(envelope).callId}`, { answer: 'delivered', envelope });
      } else if (type === 'call.refused') {
        const { callId, code } = JSON.parse(String(record.value));
        world.#settle(`answer ${callId}`, { answer: 'refused', code });
      }
    });
    return world;
  }

  /** Follows every event of Mayfly's services while `work` runs. */
  async hearing(work) {
    const events = await this.follow(CREDENTIAL_EVENTS, (record) => {
      const key = `${typeOf(record)} ${record.key}`;
      if (this.#waiting.has(key)) this.#settle(key, JSON.parse(String(record.value)));
    });
    try {
      return await work();
    } finally {
      await events.stop();
    }
  }

  /** Reads a topic from here on, until it is told to `stop`. */
  async follow(topic, onRecord) {
    const next = new Map((await this.bus.ends([topic])).map((end) => [end.partition, end]));
    const consumer = await this.bus.subscribe({
      group: `bench-${uuidv7()}`,
      topics: [topic],
      positions: (assigned) => Promise.resolve(assigned.map(({ partition }) => next.get(partition))),
      onBatch: (records) => Promise.resolve(records.forEach(onRecord)),
      onCrash: (cause) => {
        throw cause;
      },
    });
    await consumer.ready();
    return consumer;
  }

  async identity(id) {
    const key = ProofKey.generate();
    const audience = `mayfly:jkt:${key.thumbprint}`;
    return { id, key, svid: await mintSvid({ stateDir: this.stateDir, id, audience, ttlS: 3_600 }) };
  }

  #settle(key, data) {
    const told = this.#waiting.get(key);
    this.#waiting.delete(key);
    told?.({ atMs: performance.now(), data });
  }

  #wait(key) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${key} within ${WITHIN_MS} ms`)), WITHIN_MS);
      this.#waiting.set(key, (told) => {
        clearTimeout(timer);
        resolve(told);
      });
    });
  }

  /** The next event of a type about a task, while events are followed. Ask before doing what causes it. */
  next(type, taskId) {
    return this.#wait(`${type} ${taskId}`);
  }

  /**
   * Declares tasks and waits until all are accepted. Requires that events are followed.
   * @param more members of the declaration beside, or instead of, the usual ones
   * @returns their ids
   */
  async startTasks(count, more = {}, { svid, key } = this.orchestrator) {
    const tasks = Array.from({ length: count }, () => uuidv7());
    const accepted = tasks.map((taskId) => this.next('task.accepted', taskId));
    const deadline = new Date(Date.now() + 3_600_000).toISOString();
    const events = tasks.map((taskId) => ({
      taskId,
      purpose: 'measure',
      objectiveSha256: 'a'.repeat(64),
      principal: { id: 'user:maria@corp.example', kind: 'human' },
      agents: [{ id: ANALYST }],
      declared: triples(ON_A_DATABASE, WITH_A_TOKEN),
      deadline,
      risk: 'low',
      ...more,
    }));
    await this.bus.publish(events.map((data) => signEvent({ type: 'task.started', data, svid, key })));
    await Promise.all(accepted);
    return tasks;
  }

  /** One call. @returns the answer, and how long it took from before the send until it was read from the topic. */
  async call(taskId, more = {}) {
    const { svid, key } = this.analyst;
    const callId = uuidv7();
    const data = {
      taskId,
      callId,
      ...ON_A_DATABASE,
      sealTo: this.sealKey.publicJwk,
      ...more,
    };
    const record = signEvent({ type: 'tool.called', data, svid, key });
    const answered = this.#wait(`answer ${callId}`);
    const sentAtMs = performance.now();
    await this.bus.publish([record]);
    const { data: answer, atMs } = await answered;
    return { ...answer, callId, ms: atMs - sentAtMs };
  }

  /** Resolves once the bus has acknowledged the ends. @returns when that was */
  async endTasks(tasks) {
    await this.bus.publish(this.endsOf(tasks));
    return performance.now();
  }

  /** The ends of tasks, signed and not sent yet. */
  endsOf(tasks) {
    const { svid, key } = this.orchestrator;
    return tasks.map((taskId) =>
      signEvent({ type: 'task.ended', data: { taskId, outcome: 'completed' }, svid, key }),
    );
  }

  /** Resolves once the bus has acknowledged what is changed of a task. @returns when that was */
  async amendTask(taskId, changes) {
    const { svid, key } = this.orchestrator;
    await this.bus.publish([signEvent({ type: 'task.amended', data: { taskId, ...changes }, svid, key })]);
    return performance.now();
  }

  /** As an operator. Resolves once the broker has answered: it is committed. @returns when that was */
  async suspendTask(taskId) {
    const { stateDir } = this;
    const login = await mintLogin({ stateDir, person: OPERATOR, ttlS: 300, env: process.env });
    const answer = await fetch(`${this.stack.addresses.broker}/v1/tasks/${taskId}/suspend`, {
      method: 'POST',
      headers: { authorization: `Bearer ${login}`, 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'it is measured' }),
    });
    if (!answer.ok) throw new Error(`the task was not suspended: ${await answer.text()}`);
    return performance.now();
  }

  async close() {
    await this.answers.stop();
    await this.bus.close();
  }
}
