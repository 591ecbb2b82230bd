/**
 * One round after the other on one installation: work is given, something goes wrong with it, and once everything has settled,
 * what an outsider can see is counted.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { openEnvelope } from '#agent/open-envelope.js';
import { warningsOf } from '../scripts/start/warnings.mjs';
import { openAccident } from './accidents/open-accident.mjs';
import { CacheWatch } from './cache-watch.mjs';
import { judgeTarget, LATE_MS } from './judge-target.mjs';
import { judgeTask } from './judge.mjs';
import { LogWatch } from './log-watch.mjs';
import { randomFrom, SERVICES } from './plan.mjs';
import { Records } from './records.mjs';
import { Rig } from './rig.mjs';
import { TargetWatch } from './target-watch.mjs';
import { TokenWatch } from './token-watch.mjs';
import { ANALYST, Workload } from './workload.mjs';

const TASKS = 12;
/** Far more than it takes, for a machine that is busy with other things. */
const SETTLED_WITHIN_MS = 60_000;
const SLOW_SEND_MS = 10_000;
const LOGGED_WITHIN_MS = 15_000;
const PAUSE_MS = 50;

/** @typedef {{ lost: string[], duplicated: string[], orphans: string[], late: string[] }} Found */
/** @returns {Found} */
export const nothingFound = () => ({ lost: [], duplicated: [], orphans: [], late: [] });
export const isClean = (found) => Object.values(found).every((list) => list.length === 0);

export class Rounds {
  #rig;
  #records;
  #target;
  /** Undefined where there is no Redis. */
  #cache;
  #tokens;
  #log;
  #workload;
  #tasks = [];
  #unlogged = new Set();
  /** How many leases were issued, by kind of target. */
  #issued = {};
  #lateMs;
  #startedAtMs = 0;

  static async open({ lateMs = LATE_MS, hasCache = false } = {}) {
    const rounds = new Rounds();
    rounds.#lateMs = lateMs;
    try {
      rounds.#rig = await Rig.open({ hasCache });
      rounds.#records = await Records.follow(rounds.#rig.addresses.kafka);
      rounds.#target = await TargetWatch.open(rounds.#rig.urls.target);
      if (hasCache) rounds.#cache = await CacheWatch.open(rounds.#rig.cache);
      rounds.#tokens = await TokenWatch.open(rounds.#rig);
      rounds.#log = await LogWatch.open(rounds.#rig);
      rounds.#workload = await Workload.open(rounds.#rig.stateDir, { hasCache });
    } catch (error) {
      await rounds.close();
      throw error;
    }
    return rounds;
  }

  /**
   * @param {import('./plan.mjs').Accident[]} accidents that do not stand in each other's way
   * @param {{ seed: number, next: (service: string) => object | null }} options `next`: what a service is to die of when its turn
   *   comes again, so that it need not be started once more for it
   * @returns {Promise<{ happened: object[], found: Found, notes: string[], longestMs: number }>} those that came about: a point may
   *   not be passed; and the longest that a lease was of use after its end
   */
  async play(accidents, { seed, next }) {
    this.#startedAtMs = Date.now();
    const found = nothingFound();
    const notes = [];
    const tasks = await this.#workload.tasks(TASKS, randomFrom(seed));
    this.#tasks.push(...tasks);
    const world = {
      rig: this.#rig,
      records: this.#records,
      ...{ tasks, found, next },
      note: (line) => notes.push(line),
      logged: async (untilMs) => (await this.#readLog(found, untilMs)).size === 0,
    };
    const opened = accidents.map((accident) => openAccident(world, accident));
    await Promise.all(opened.map((each) => each.prepare()));
    for (const each of opened) each.begin();
    const sessions = await this.#work(tasks, (part) => {
      for (const each of opened) each.on(part);
    });
    const over = await Promise.all(opened.map((each) => each.over()));
    await this.#settle(tasks, found);
    const backAtMs = Math.max(...over.map((each) => each.backAtMs));
    const longestMs = await this.#judgeTarget(tasks, backAtMs, found);
    await this.#judgeLog(found);
    await Promise.allSettled(sessions.map((session) => session.end()));
    for (const each of opened) await each.clear?.();
    for (const name of this.#rig.takeUnasked()) found.lost.push(`${name} ended, and nobody had asked it to`);
    return { happened: accidents.filter((_, index) => over[index].happened), found, notes, longestMs };
  }

  /** Everything once more, now that nothing is on its way any more. @returns {Promise<Found>} */
  async judgeAll() {
    const found = nothingFound();
    await this.#records.caughtUp();
    for (const task of this.#tasks) {
      const { lost, duplicated } = judgeTask(task, this.#records.of(task.taskId));
      found.lost.push(...lost);
      found.duplicated.push(...duplicated);
    }
    await this.#judgeLog(found);
    for (const place of this.#log.places)
      if (!this.#records.places.has(place))
        found.duplicated.push(`the log has a record that is on no topic: ${place}`);
    return found;
  }

  /** All records of the first task that a finding is about, and what the services warned of since the last round began. */
  timelineOf(found) {
    const warnings = [...SERVICES, 'signer'].flatMap((service) =>
      warningsOf(service, this.#rig.logFile(service), this.#startedAtMs),
    );
    const task = this.#tasks.find(({ taskId }) =>
      Object.values(found)
        .flat()
        .some((what) => what.includes(taskId)),
    );
    return [...(task === undefined ? [] : timeline(this.#records.of(task.taskId))), ...warnings];
  }

  get issued() {
    return this.#issued;
  }

  get entries() {
    return this.#log.size;
  }

  logFile(service) {
    return this.#rig.logFile(service);
  }

  async close() {
    const watches = [this.#records, this.#target, this.#cache, this.#tokens, this.#log];
    await Promise.allSettled(watches.map((watch) => watch?.close()));
    await this.#rig?.close();
  }

  /** Says everything that the tasks have to say. @returns sessions of credentials that were delivered */
  async #work(tasks, given) {
    const records = this.#records;
    const say = async (phase, isDone) => {
      const said = tasks.flatMap((task) => task[phase]);
      const beginMs = performance.now();
      await records.publish(said);
      const sentMs = performance.now() - beginMs;
      const done = records.until(isDone, SETTLED_WITHIN_MS);
      given({ phase, said, done });
      const isOver = await done;
      // Which of the two stood still: what is signed already grows stale meanwhile, and is refused rightly.
      if (!isOver || sentMs > SLOW_SEND_MS)
        process.stderr.write(
          `${phase}: sent in ${Math.round(sentMs)} ms, ${isOver ? 'answered' : 'not answered in time'}\n`,
        );
    };
    const answered = (task) => task.calls.every((call) => this.#answersOf(task, call).length > 0);
    const over = (ends) => () => tasks.every((task) => task.ends !== ends || this.#isSettled(task));
    await say('first', () => tasks.every(answered));
    const sessions = (await Promise.all(tasks.map((task) => this.#login(task)))).flat();
    for (const task of tasks) task.renew((call) => this.#leaseOf(task, call));
    await say('renewals', () => tasks.every((task) => this.#areRenewalsAnswered(task)));
    const secondIsOver = over('second');
    await say(
      'second',
      () => secondIsOver() && tasks.every((task) => !task.expires || this.#hasExpired(task)),
    );
    // For a point that is passed at the end only, before it is given up.
    await say('last', over('last'));
    return sessions;
  }

  #answersOf({ taskId }, { callId }) {
    return this.#records
      .of(taskId)
      .filter(
        ({ type, data }) =>
          data.callId === callId && (type === 'credential.delivered' || type === 'call.refused'),
      );
  }

  #leaseOf(task, call) {
    return this.#answersOf(task, call).find(({ type }) => type === 'credential.delivered')?.data.leaseId;
  }

  #areRenewalsAnswered({ taskId, calls }) {
    const asked = calls.flatMap(({ renewal }) => (renewal?.leaseId ? [renewal.ceId] : []));
    const decided = ['lease.renewed', 'lease.renewal_refused', 'event.rejected'];
    const records = this.#records.of(taskId).filter(({ type }) => decided.includes(type));
    return asked.every((ceId) => records.some(({ data }) => data.causedBy === ceId));
  }

  /** Its first lease: others may have been renewed for longer than anybody waits. */
  #hasExpired({ taskId, calls: [first] }) {
    const leaseId = first.renewal?.leaseId ?? null;
    const removed = this.#records.of(taskId).filter(({ type }) => type === 'lease.removed');
    return leaseId === null || removed.some(({ data }) => data.leaseId === leaseId);
  }

  /** As the agent: a session that must not outlive its lease. */
  async #login(task) {
    const [call] = task.calls;
    const envelope = this.#answersOf(task, call).find(({ type }) => type === 'credential.delivered')?.text;
    if (envelope === undefined) return [];
    const { taskId } = task;
    const asked = { taskId, callId: call.callId, agent: ANALYST };
    const { connection } = await openEnvelope(envelope, call.sealKey, asked);
    const { host, port, database, user, password } = connection;
    const session = new pg.Client({ host, port, database, user, password: password.reveal() });
    session.on('error', () => {});
    // A lease that has ended meanwhile lets nobody in.
    return await session.connect().then(
      () => [session],
      () => [],
    );
  }

  #isSettled(task) {
    return judgeTask(task, this.#records.of(task.taskId)).lost.length === 0;
  }

  async #settle(tasks, found) {
    let open = tasks;
    const isSettled = () => {
      open = open.filter((task) => !this.#isSettled(task));
      return open.length === 0;
    };
    await this.#records.until(isSettled, SETTLED_WITHIN_MS);
    for (const task of tasks) {
      const { lost, duplicated } = judgeTask(task, this.#records.of(task.taskId));
      found.lost.push(...lost);
      found.duplicated.push(...duplicated);
    }
  }

  /** All leases of these tasks have ended, so nothing of them may be left, and nothing may have been of use too long. @returns how long one was */
  async #judgeTarget(tasks, backAtMs, found) {
    const leases = tasks.flatMap((task) =>
      judgeTask(task, this.#records.of(task.taskId)).leases.map((lease) => ({
        ...lease,
        taskId: task.taskId,
      })),
    );
    for (const { provider, isIssued } of leases)
      if (isIssued) this.#issued[provider] = (this.#issued[provider] ?? 0) + 1;
    const tokens = leases.filter(({ provider }) => provider === 'jwt');
    const untilMs = Date.now() + this.#lateMs;
    let left = await this.#existing();
    while ((left.length > 0 || this.#tokens.taken(tokens).length > 0) && Date.now() < untilMs) {
      await sleep(PAUSE_MS);
      left = await this.#existing();
    }
    const { orphans, late, longestMs } = judgeTarget({
      leases,
      existing: left,
      taken: this.#tokens.taken(tokens),
      usable: [...(await this.#target.usable()), ...((await this.#cache?.usable()) ?? [])],
      lastUsableAtMs: (principal) =>
        this.#target.lastUsableAtMs(principal) ?? this.#cache?.lastUsableAtMs(principal),
      backAtMs,
      lateMs: this.#lateMs,
    });
    found.orphans.push(...orphans);
    found.late.push(...late);
    return longestMs;
  }

  async #existing() {
    return [...(await this.#target.existing()), ...((await this.#cache?.existing()) ?? [])];
  }

  async #judgeLog(found) {
    for (const place of await this.#readLog(found, Date.now() + LOGGED_WITHIN_MS))
      found.lost.push(`no entry of ${place}`);
    this.#unlogged.clear();
  }

  /** @returns places of records that have no entry by then */
  async #readLog(found, untilMs) {
    await this.#records.caughtUp();
    for (const place of this.#records.takeNewPlaces()) this.#unlogged.add(place);
    for (;;) {
      const { duplicated, broken } = await this.#log.read();
      found.duplicated.push(...duplicated.map((place) => `two entries of ${place}`));
      found.lost.push(...broken.map((what) => `the log does not verify: ${what}`));
      for (const place of this.#unlogged) if (this.#log.places.has(place)) this.#unlogged.delete(place);
      if (this.#unlogged.size === 0 || Date.now() > untilMs) return this.#unlogged;
      await sleep(PAUSE_MS);
    }
  }
}

/** What stands on the topics about a task, a line each, for whoever looks for the reason. */
function timeline(records) {
  return records
    .toSorted((a, b) => a.appendedAtMs - b.appendedAtMs)
    .map(({ topic, partition, offset, type, ceId, data, appendedAtMs }) => {
      const facts = ['leaseId', 'callId', 'cause', 'why', 'decision', 'code', 'outcome', 'causedBy']
        .filter((name) => data[name] !== undefined)
        .map((name) => `${name}=${String(data[name]).slice(-12)}`);
      const at = new Date(appendedAtMs).toISOString().slice(11, 23);
      return `${at} ${type} ${facts.join(' ')} id=${ceId.slice(-12)} ${topic.split('.')[2]}/${partition}/${offset}`;
    });
}
