/** The sample's orchestrator and analyst with all their keys and SVIDs made beforehand, so that the load costs little while it is measured. */
import { v7 as uuidv7 } from 'uuid';
import { Answers } from '../dist/libs/agent/src/answers.js';
import { ProofKey } from '../dist/libs/agent/src/proof-key.js';
import { generateSealKey } from '../dist/libs/agent/src/seal-key.js';
import { signEvent } from '../dist/libs/agent/src/signed-event.js';
import { Tail } from '../dist/libs/agent/src/tail.js';
import { openKafka } from '../dist/libs/bus/src/kafka/kafka-bus.js';
import { CREDENTIAL_EVENTS } from '../dist/libs/events/src/topics.js';
import { mintSvid } from '../dist/libs/identity/src/development/mint-svid.js';
import { loadPeerKeys } from '../dist/libs/identity/src/peer-keys.js';
import { createLog } from '../dist/libs/telemetry/src/log.js';

export const ORCHESTRATOR = 'spiffe://dev.mayfly/orchestrator/sample';
export const ANALYST = 'spiffe://dev.mayfly/agent/analyst';
const WITHIN_MS = 30_000;

export class SampleWorld {
  #waiting = new Map();

  static async open(stack) {
    const world = new SampleWorld();
    world.stateDir = stack.stateDir;
    world.bus = await openKafka(
      { brokers: stack.addresses.kafka.split(','), clientId: 'bench' },
      createLog('bench', { level: 'silent' }),
    );
    const jwks = (service) => ({ jwks: `${stack.stateDir}/keys/${service}.jwks.json` });
    const peers = await loadPeerKeys({ broker: jwks('broker'), revoker: jwks('revoker') });
    world.answers = await Answers.listen({ bus: world.bus, peers });
    world.tail = await Tail.follow({
      bus: world.bus,
      peers,
      topics: [CREDENTIAL_EVENTS],
      onRecord: (record) => world.#told(record),
      onLost: (cause) => {
        throw cause;
      },
    });
    [world.orchestrator, world.analyst] = await Promise.all([
      world.#identity(ORCHESTRATOR),
      world.#identity(ANALYST),
    ]);
    return world;
  }

  async #identity(id) {
    const key = ProofKey.generate();
    const audience = `mayfly:jkt:${key.thumbprint}`;
    return { id, key, svid: await mintSvid({ stateDir: this.stateDir, id, audience, ttlS: 3_600 }) };
  }

  #told({ head, value }) {
    const type = head.type.slice('dev.mayfly.'.length, -'.v1'.length);
    const key = `${type} ${head.subject}`;
    const told = this.#waiting.get(key);
    if (told === undefined) return;
    this.#waiting.delete(key);
    told({ atMs: performance.now(), data: JSON.parse(String(value)) });
  }

  /** The next event of a type about a task. Ask before doing what causes it. */
  next(type, taskId) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${type} within ${WITHIN_MS} ms`)), WITHIN_MS);
      this.#waiting.set(`${type} ${taskId}`, (told) => {
        clearTimeout(timer);
        resolve(told);
      });
    });
  }

  /** Declares tasks and waits until all are accepted. @returns their ids */
  async startTasks(count) {
    const tasks = Array.from({ length: count }, () => uuidv7());
    const accepted = tasks.map((taskId) => this.next('task.accepted', taskId));
    const deadline = new Date(Date.now() + 3_600_000).toISOString();
    const events = tasks.map((taskId) => ({
      taskId,
      purpose: 'measure',
      objectiveSha256: 'a'.repeat(64),
      principal: { id: 'user:maria@corp.example', kind: 'human' },
      agents: [{ id: ANALYST }],
      declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
      deadline,
      risk: 'low',
    }));
    const { svid, key } = this.orchestrator;
    await this.bus.publish(events.map((data) => signEvent({ type: 'task.started', data, svid, key })));
    await Promise.all(accepted);
    return tasks;
  }

  /** One call. @returns the answer, and how long it took from before the send until it was read from the topic. */
  async call(taskId) {
    const { svid, key, id } = this.analyst;
    const sealKey = generateSealKey();
    const callId = uuidv7();
    const data = {
      taskId,
      callId,
      tool: 'sql.query',
      dataset: 'crm.orders',
      action: 'read',
      sealTo: sealKey.publicJwk,
    };
    const record = signEvent({ type: 'tool.called', data, svid, key });
    const answered = this.answers.answerOf(
      { taskId, callId, agent: id, sealKid: sealKey.thumbprint },
      WITHIN_MS,
    );
    const sentAtMs = performance.now();
    await this.bus.publish([record]);
    const answer = await answered;
    return { answer, sealKey, callId, ms: performance.now() - sentAtMs };
  }

  /** Resolves once the bus has acknowledged the ends. */
  async endTasks(tasks) {
    const { svid, key } = this.orchestrator;
    await this.bus.publish(
      tasks.map((taskId) =>
        signEvent({ type: 'task.ended', data: { taskId, outcome: 'completed' }, svid, key }),
      ),
    );
    return performance.now();
  }

  async close() {
    await this.answers.close();
    await this.tail.close();
    await this.bus.close();
  }
}
