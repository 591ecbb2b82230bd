/**
 * One round after the other on one installation: work is given, a process dies at its point, is started again, and once
 * everything has settled, what an outsider can see is counted.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { openEnvelope } from '#agent/open-envelope.js';
import { judgeTask } from './judge.mjs';
import { LogWatch } from './log-watch.mjs';
import { randomFrom } from './plan.mjs';
import { Records } from './records.mjs';
import { Rig } from './rig.mjs';
import { TargetWatch } from './target-watch.mjs';
import { ANALYST, Workload } from './workload.mjs';

const TASKS = 12;
/** Far more than it takes, for a machine that is busy with other things. */
const SETTLED_WITHIN_MS = 60_000;
const LOGGED_WITHIN_MS = 15_000;
/** How long after its end, or after a killed process is back, a lease may give access. */
const LATE_MS = 5_000;
const PAUSE_MS = 50;
/** A point that is not passed so long after all work was done is given up. */
const PASSED_WITHIN_MS = 2_000;

/** @typedef {{ service: string, point: string, nth: number }} Death */
/** @typedef {{ lost: string[], duplicated: string[], orphans: string[], late: string[] }} Found */
/** @returns {Found} */
export const nothingFound = () => ({ lost: [], duplicated: [], orphans: [], late: [] });
export const isClean = (found) => Object.values(found).every((list) => list.length === 0);

/** A process that counts its passages from now on, dies, and is started again. */
class Life {
  end = null;
  backAtMs = 0;
  #rig;
  #back;

  constructor(rig, { service }, next) {
    this.service = service;
    this.#rig = rig;
    this.#back = rig.go(service).then(async (end) => {
      this.end = end;
      await rig.start(service, next === null ? null : `${next.point}:${next.nth}`);
      this.backAtMs = Date.now();
    });
    this.#back.catch(() => {});
  }

  /** Resolves once it is back. @returns false for a process that has not passed its point: it is killed where it is */
  async over() {
    await Promise.race([this.#back, sleep(PASSED_WITHIN_MS)]);
    const passed = this.end !== null;
    if (!passed) await this.#rig.kill(this.service);
    await this.#back;
    return passed;
  }
}

export class Rounds {
  #rig;
  #records;
  #target;
  #log;
  #workload;
  #tasks = [];
  #unlogged = new Set();

  static async open() {
    const rounds = new Rounds();
    try {
      rounds.#rig = await Rig.open();
      rounds.#records = await Records.follow(rounds.#rig.addresses.kafka);
      rounds.#target = await TargetWatch.open(rounds.#rig.urls.target);
      rounds.#log = await LogWatch.open(rounds.#rig);
      rounds.#workload = await Workload.open(rounds.#rig.stateDir);
    } catch (error) {
      await rounds.close();
      throw error;
    }
    return rounds;
  }

  /**
   * @param {Death[]} deaths at most one of each service
   * @param {{ seed: number, next: (service: string) => Death | null }} options `next`: what a service is to die of when its turn
   *   comes again, so that it need not be started once more for it
   * @returns {Promise<{ passed: Death[], found: Found }>} those that died at their points; others were killed in the end
   */
  async play(deaths, { seed, next }) {
    const found = nothingFound();
    const tasks = await this.#workload.tasks(TASKS, randomFrom(seed));
    this.#tasks.push(...tasks);
    await Promise.all(deaths.map((death) => this.#arm(death)));
    const lives = deaths.map((death) => new Life(this.#rig, death, next(death.service)));
    const sessions = await this.#work(tasks);
    const over = await Promise.all(lives.map((life) => life.over()));
    const passed = deaths.filter((_, index) => over[index]);
    await this.#settle(tasks, found);
    await this.#judgeTarget(tasks, Math.max(...lives.map((life) => life.backAtMs)), found);
    await this.#judgeLog(found);
    await Promise.allSettled(sessions.map((session) => session.end()));
    for (const name of this.#rig.unasked.splice(0))
      found.lost.push(`${name} ended, and nobody had asked it to`);
    for (const { service, end } of lives)
      if (end.signal !== 'SIGKILL') found.lost.push(`the ${service} ended with status ${end.code}`);
    return { passed, found };
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

  /** Of the first task that a finding is about. */
  timelineOf(found) {
    const task = this.#tasks.find(({ taskId }) =>
      Object.values(found)
        .flat()
        .some((what) => what.includes(taskId)),
    );
    return task === undefined ? [] : timeline(this.#records.of(task.taskId));
  }

  get entries() {
    return this.#log.size;
  }

  logFile(service) {
    return this.#rig.logFile(service);
  }

  async close() {
    await Promise.allSettled([this.#records?.close(), this.#target?.close(), this.#log?.close()]);
    await this.#rig?.close();
  }

  async #arm({ service, point, nth }) {
    const wanted = `${point}:${nth}`;
    if (this.#rig.armedWith(service) !== wanted) await this.#rig.start(service, wanted);
  }

  /** Says everything that the tasks have to say. @returns sessions of credentials that were delivered */
  async #work(tasks) {
    const records = this.#records;
    await records.publish(tasks.flatMap((task) => task.first));
    const answered = (task) => task.calls.every((call) => this.#answersOf(task, call).length > 0);
    await records.until(() => tasks.every(answered), SETTLED_WITHIN_MS);
    const sessions = (await Promise.all(tasks.map((task) => this.#login(task)))).flat();
    await records.publish(tasks.flatMap((task) => task.second));
    const isOver = (task) => this.#isSettled(task);
    const ending = tasks.filter((task) => task.ends === 'second');
    await records.until(() => ending.every(isOver), SETTLED_WITHIN_MS);
    await records.publish(tasks.flatMap((task) => task.last));
    const last = tasks.filter((task) => task.ends === 'last');
    // For a point that is passed at the end only, before it is given up.
    await records.until(() => last.every(isOver), SETTLED_WITHIN_MS);
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

  /** All leases of these tasks have ended, so nothing of them may be left, and nothing may have been of use too long. */
  async #judgeTarget(tasks, backAtMs, found) {
    const untilMs = Date.now() + LATE_MS;
    let left = await this.#target.existing();
    while (left.length > 0 && Date.now() < untilMs) {
      await sleep(PAUSE_MS);
      left = await this.#target.existing();
    }
    for (const principal of left) found.orphans.push(`${principal} is still at the target`);
    for (const principal of await this.#target.usable()) found.orphans.push(`${principal} can still be used`);
    for (const task of tasks) {
      for (const lease of judgeTask(task, this.#records.of(task.taskId)).leases) {
        const overMs =
          (this.#target.lastUsableAtMs(lease.principal) ?? 0) - Math.max(lease.endedAtMs, backAtMs);
        if (overMs > LATE_MS)
          found.late.push(`task ${task.taskId}: lease ${lease.leaseId} was of use ${overMs} ms too long`);
      }
    }
  }

  async #judgeLog(found) {
    await this.#records.caughtUp();
    for (const place of this.#records.takeNewPlaces()) this.#unlogged.add(place);
    const untilMs = Date.now() + LOGGED_WITHIN_MS;
    for (;;) {
      const { duplicated, broken } = await this.#log.read();
      found.duplicated.push(...duplicated.map((place) => `two entries of ${place}`));
      found.lost.push(...broken.map((what) => `the log does not verify: ${what}`));
      for (const place of this.#unlogged) if (this.#log.places.has(place)) this.#unlogged.delete(place);
      if (this.#unlogged.size === 0 || Date.now() > untilMs) break;
      await sleep(PAUSE_MS);
    }
    for (const place of this.#unlogged) found.lost.push(`no entry of ${place}`);
    this.#unlogged.clear();
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
