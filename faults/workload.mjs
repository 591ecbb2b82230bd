/** The tasks of one round: what each says and when, fixed by the seed but for ids. */
import { v7 as uuidv7 } from 'uuid';
import { CACHE_DATASET } from './cache.mjs';
import { ProofKey } from '#agent/proof-key.js';
import { generateSealKey } from '#agent/seal-key.js';
import { signEvent } from '#agent/signed-event.js';
import { mintSvid } from '#identity/development/mint-svid.js';

const ORCHESTRATOR = 'spiffe://dev.mayfly/orchestrator/sample';
export const ANALYST = 'spiffe://dev.mayfly/agent/analyst';
const SVID_TTL_S = 600;
/** Expires while its task lives, and is too short to be renewed. */
const SHORT_TTL_MS = 1_000;
/** As long as a lease may be renewed for, and what it is renewed to. */
const LONG = { ttlMs: 60_000, renewedMs: 120_000 };
/** Expires while its task lives, and once it was renewed: just long enough that there is time for it. */
const BRIEF = { ttlMs: 6_500, renewedMs: 8_000 };

/** What calls ask for: most of them a login, which somebody can stay in; the first of each task surely. */
const LOGIN = { tool: 'sql.query', dataset: 'crm.orders', action: 'read' };
const TOKEN = { tool: 'orders.api', dataset: 'orders', action: 'read' };
const CACHE = { tool: 'sql.query', dataset: CACHE_DATASET, action: 'read' };

export class Workload {
  #stateDir;
  #others;
  /** One pair of keys for all tasks: signatures are what these tests are not about. */
  #voices = new Map();

  static async open(stateDir, { hasCache = false } = {}) {
    const workload = new Workload();
    workload.#others = hasCache ? [TOKEN, CACHE] : [TOKEN];
    workload.#stateDir = stateDir;
    await workload.#voice(ORCHESTRATOR);
    await workload.#voice(ANALYST);
    return workload;
  }

  /**
   * @param {number} count
   * @param {() => number} random
   */
  async tasks(count, random) {
    const [orchestrator, analyst] = await Promise.all([this.#voice(ORCHESTRATOR), this.#voice(ANALYST)]);
    return Array.from(
      { length: count },
      (_, index) => new Task(index, orchestrator, analyst, random, this.#others),
    );
  }

  async #voice(id) {
    const known = this.#voices.get(id);
    if (known !== undefined && known.untilMs > Date.now()) return known;
    const key = known?.key ?? ProofKey.generate();
    const svid = await mintSvid({
      stateDir: this.#stateDir,
      id,
      audience: `mayfly:jkt:${key.thumbprint}`,
      ttlS: SVID_TTL_S,
      env: { MAYFLY_ENV: 'development' },
    });
    const voice = { key, svid, untilMs: Date.now() + (SVID_TTL_S / 2) * 1_000 };
    this.#voices.set(id, voice);
    return voice;
  }
}

/**
 * What is said about one task: `first` at once, `renewals` once its calls are answered, `second` once those are, `last` to end it.
 */
class Task {
  taskId = uuidv7();
  /** ce_ids of what must be judged exactly once. */
  startId = uuidv7();
  endId = uuidv7();
  calls;
  /** Ended before it is started, with its calls, after them, or when everything else is over. */
  ends;
  /** Waits for its first lease to expire before it ends. */
  expires;
  first;
  renewals = [];
  second = [];
  last = [];
  #askForMore;

  constructor(index, orchestrator, analyst, random, others) {
    const { taskId } = this;
    const chance = (probability) => random() < probability;
    this.ends = ['before', 'amid', 'second', 'second', 'last', 'last'][index % 6];
    this.expires = index === 11 && chance(0.1);
    this.calls = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, nth) => {
      const sealKey = generateSealKey();
      // The first of each task is renewed, so that it surely happens; it is refused where the task has ended.
      const { ttlMs, renewedMs } =
        nth === 0 ? (this.expires ? BRIEF : LONG) : chance(0.3) ? { ...LONG, ttlMs: SHORT_TTL_MS } : LONG;
      const asked = nth > 0 && chance(0.4) ? others[Math.floor(random() * others.length)] : LOGIN;
      return {
        callId: uuidv7(),
        ceIds: [uuidv7()],
        sealKey,
        /** `leaseId`: once it was asked for. */
        renewal:
          nth === 0 || (asked === LOGIN && chance(0.4))
            ? { ceId: uuidv7(), renewedMs, twice: chance(0.3), leaseId: null }
            : null,
        data: {
          taskId,
          callId: '',
          ...asked,
          sealTo: sealKey.publicJwk,
          ttlMs,
        },
      };
    });
    for (const call of this.calls) call.data.callId = call.callId;
    const said = (voice, type, data, id) => signEvent({ type, data, id, svid: voice.svid, key: voice.key });
    const started = said(orchestrator, 'task.started', declaration(taskId, [LOGIN, ...others]), this.startId);
    const end = said(orchestrator, 'task.ended', { taskId, outcome: 'completed' }, this.endId);
    this.#askForMore = ({ ceId, renewedMs, leaseId }) =>
      said(analyst, 'lease.renewal_requested', { taskId, leaseId, ttlMs: renewedMs }, ceId);
    const called = this.calls.map((call) => said(analyst, 'tool.called', call.data, call.ceIds[0]));
    this.first = [
      ...(this.ends === 'before' ? [end] : []),
      started,
      ...(chance(0.3) ? [started] : []),
      ...called.flatMap((record) => (chance(0.3) ? [record, record] : [record])),
      ...(this.ends === 'amid' ? [end] : []),
    ];
    for (const call of this.calls) {
      if (!chance(0.4)) continue;
      const ceId = uuidv7();
      call.ceIds.push(ceId);
      // Asked again under an id of its own: answered again, and decided once.
      this.second.push(said(analyst, 'tool.called', call.data, ceId));
    }
    if (this.ends === 'second') this.second.push(end, ...(chance(0.5) ? [end] : []));
    if (this.ends === 'last') this.last.push(end);
  }

  /** @param {(call: object) => string | undefined} leaseOf the lease that a call has got, if it has */
  renew(leaseOf) {
    for (const call of this.calls) {
      const leaseId = leaseOf(call);
      if (call.renewal === null || leaseId === undefined) continue;
      call.renewal.leaseId = leaseId;
      const asked = this.#askForMore(call.renewal);
      this.renewals.push(asked, ...(call.renewal.twice ? [asked] : []));
    }
  }
}

const declaration = (taskId, asked) => ({
  taskId,
  purpose: 'Reconcile October invoices',
  objectiveSha256: 'a'.repeat(64),
  principal: { id: 'user:maria@corp.example', kind: 'human' },
  agents: [{ id: ANALYST }],
  declared: asked.map(({ tool, dataset, action }) => ({ tool, dataset, actions: [action] })),
  deadline: new Date(Date.now() + 600_000).toISOString(),
  risk: 'low',
});
