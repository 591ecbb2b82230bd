/** An auditor, or two, that are killed over and over while records pour in, and in the end the log is judged from its tables. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { parseVerifier } from '#merkle/node/keys.js';
import { eventually } from '../scripts/servers/ports.mjs';
import { warningsOf } from '../scripts/start/warnings.mjs';
import { LogJudge } from './judge-log.mjs';
import { LogLoad, LOADED_TOPICS } from './log-load.mjs';
import { Rig } from './rig.mjs';

const POSTGRES = { crash: 'SIGKILL', fast: 'SIGINT' };
const READY_WITHIN_MS = 30_000;
const LOGGED_WITHIN_MS = 120_000;
const PASSED_WITHIN_MS = 10_000;
const PAGE = 5_000;
const SERVICE = 'auditor';

export class LogRounds {
  #rig;
  #load;
  #isDown = false;
  #kills = 0;
  #gaveUp = 0;

  /** @param {{ perSecond?: number }} options of records, while it lasts */
  static async open({ perSecond = 500 } = {}) {
    const rounds = new LogRounds();
    try {
      rounds.#rig = await Rig.open();
      await rounds.#rig.kill('broker');
      await rounds.#rig.kill('revoker');
      rounds.#load = await LogLoad.open(rounds.#rig);
      rounds.#load.start(perSecond);
    } catch (error) {
      await rounds.close();
      throw error;
    }
    return rounds;
  }

  /** How often an auditor was killed: a step that needs one that is down kills it first. */
  get kills() {
    return this.#kills;
  }

  /** How often an auditor gave up by itself while its database was away, and was started again. */
  get gaveUp() {
    return this.#gaveUp;
  }

  async play({ kind, point, how, afterMs }) {
    const rig = this.#rig;
    switch (kind) {
      case 'kill':
        await this.#up();
        await sleep(afterMs);
        return await this.#kill();
      case 'death':
        if (!this.#isDown) await this.#kill();
        return await this.#die(point);
      case 'takeover':
      case 'pair':
        return await this.#killOfTwo(kind === 'pair', afterMs);
      case 'store_restart':
        await this.#up();
        await rig.supervise(true);
        await sleep(afterMs);
        await rig.restart('postgres', POSTGRES[how]);
        await this.#ready();
        this.#gaveUp += (await rig.supervise(false)).length;
        return;
      case 'replay':
        if (!this.#isDown) await this.#kill();
        return await rig.forgetPositions(SERVICE);
      default:
        throw new TypeError(`nothing is known of the step \`${kind}\``);
    }
  }

  /** Ends the load, lets one auditor work off what is left, and judges. @returns {Promise<{ found: object, entries: bigint, checkpoints: number }>} */
  async judge() {
    await this.#up();
    const ends = await this.#load.stop();
    const pool = new pg.Pool({ connectionString: this.#rig.urls.database, max: 1 });
    pool.on('error', () => {});
    try {
      const caughtUp = await eventually(() => isBehind(pool, ends).then((behind) => !behind), {
        everyMs: 200,
        withinMs: LOGGED_WITHIN_MS,
      });
      const told = await judged(pool, this.#rig.stateDir, ends);
      if (!caughtUp) told.found.lost.push(`the auditor had not caught up after ${LOGGED_WITHIN_MS} ms`);
      for (const part of this.#rig.takeUnasked())
        told.found.broken.push(`${part} ended, and nobody had asked it to`);
      return told;
    } finally {
      await pool.end();
    }
  }

  /** What the auditor warned of, last. */
  warnings() {
    return warningsOf(SERVICE, this.#rig.logFile(SERVICE), 0).slice(-20);
  }

  async close() {
    await this.#load?.close().catch(() => {});
    await this.#rig?.close();
  }

  async #up() {
    if (this.#isDown) await this.#rig.start(SERVICE, null);
    this.#isDown = false;
  }

  async #kill() {
    this.#kills += 1;
    await this.#rig.kill(SERVICE);
    this.#isDown = true;
  }

  /** By its own hand; killed where it is, if it does not pass the point. */
  async #die(point) {
    this.#kills += 1;
    if (!(await this.#rig.startToDie(SERVICE, point))) return;
    const ended = this.#rig.ended(SERVICE).then(() => true);
    const passed = await Promise.race([ended, sleep(PASSED_WITHIN_MS, false, { ref: false })]);
    if (!passed) await this.#rig.kill(SERVICE);
    await ended;
  }

  async #killOfTwo(both, afterMs) {
    await this.#up();
    const former = await this.#rig.double(SERVICE);
    await sleep(afterMs);
    if (both) await this.#kill();
    this.#kills += 1;
    former.kill('SIGKILL');
    await former.exited;
    if (both) return;
    await this.#ready();
  }

  async #ready() {
    const isReady = () =>
      fetch(`${this.#rig.addresses.auditor}/health/ready`, { signal: AbortSignal.timeout(2_000) }).then(
        ({ status }) => status === 200,
        () => false,
      );
    if (!(await eventually(isReady, { everyMs: 50, withinMs: READY_WITHIN_MS })))
      throw new Error(`the auditor was not ready after ${READY_WITHIN_MS} ms`);
  }
}

async function isBehind(pool, ends) {
  const { rows } = await pool.query(
    `SELECT topic, partition, next::text FROM audit.bus_offset WHERE consumer_group = 'auditor'`,
  );
  const reached = new Map(rows.map(({ topic, partition, next }) => [`${topic}/${partition}`, BigInt(next)]));
  return ends.some(({ topic, partition, next }) => (reached.get(`${topic}/${partition}`) ?? 0n) < next);
}

async function judged(pool, stateDir, ends) {
  const verifier = parseVerifier(readFileSync(join(stateDir, 'keys', 'log-signer.vkey'), 'utf8').trim());
  const notes = (await pool.query('SELECT note FROM audit.checkpoint')).rows.map(({ note }) => note);
  const judge = new LogJudge(notes, verifier, LOADED_TOPICS);
  let next = 0n;
  for (;;) {
    const { rows } = await pool.query(
      `SELECT seq::text, leaf, leaf_hash, topic, partition, bus_offset::text AS "offset" FROM audit.entry
        WHERE seq >= $1 ORDER BY entry.seq LIMIT ${PAGE}`,
      [next],
    );
    judge.take(rows);
    if (rows.length === 0) break;
    next = BigInt(rows.at(-1).seq) + 1n;
  }
  const { rows: heads } = await pool.query('SELECT size::text, nodes FROM audit.tree_head');
  return { found: judge.finish(ends, heads[0]), entries: next, checkpoints: notes.length };
}
