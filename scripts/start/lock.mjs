import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { observe } from '../servers/observe.mjs';

/**
 * Holds a lock file for this process. One whose holder is dead, or whose number now belongs to another process, is taken over.
 * @param {string} file its folder is made
 * @param {{ waitMs?: number }} [options] how long to wait for a living holder; not at all unless told
 * @returns {Promise<{ release(): void }>}
 * @throws {LockHeld} when a living process keeps it
 */
export async function lock(file, { waitMs = 0 } = {}) {
  mkdirSync(dirname(file), { recursive: true });
  const until = performance.now() + waitMs;
  const mine = await ownEntry();
  for (;;) {
    if (create(file, mine)) break;
    const holder = read(file);
    if (holder === null) continue;
    if (!(await isHeld(holder))) {
      takeAway(file, holder);
      continue;
    }
    if (performance.now() > until) throw new LockHeld(file, JSON.parse(holder).pid);
    await sleep(200);
  }
  const release = () => {
    process.off('exit', release);
    if (read(file) === mine) rmSync(file, { force: true });
  };
  process.once('exit', release);
  return { release };
}

export class LockHeld extends Error {
  name = 'LockHeld';

  /**
   * @param {string} file
   * @param {number} pid the living holder
   */
  constructor(file, pid) {
    super(`${file} is held by process ${pid}`);
    this.pid = pid;
  }
}

/**
 * Who holds a lock.
 * @param {string} file
 * @returns {Promise<number | null>} the number of a living process, or null
 */
export async function lockHolder(file) {
  const holder = read(file);
  return holder !== null && (await isHeld(holder)) ? JSON.parse(holder).pid : null;
}

async function ownEntry() {
  const { startedAt } = await observe(process.pid);
  return JSON.stringify({ pid: process.pid, startedAt });
}

async function isHeld(entry) {
  let holder;
  try {
    holder = JSON.parse(entry);
  } catch {
    return false;
  }
  const seen = await observe(holder.pid);
  return seen !== null && seen.startedAt === holder.startedAt;
}

/** The file appears whole or not at all: it is written beside and linked. */
function create(file, entry) {
  const beside = `${file}.${process.pid}`;
  writeFileSync(beside, entry);
  try {
    linkSync(beside, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(beside, { force: true });
  }
}

/** Another process may take it over at the same moment: what was moved away is looked at, and a living lock is put back. */
function takeAway(file, judged) {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (read(aside) !== judged) {
    try {
      linkSync(aside, file);
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
  }
  rmSync(aside, { force: true });
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}
