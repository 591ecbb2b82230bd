/** The result of a run, as it is kept under `faults/results/`, one file a day and suite. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
/** What is being run: by the end of it there may be another. */
const COMMIT = commit();
/** So many rounds are kept without being asked to. */
export const KEPT_FROM = 200;

/** Rounds and findings of each kind of accident, and how long one took. */
export function perKind(played) {
  const kinds = [...new Set(played.map(({ kind }) => kind))].sort();
  return Object.fromEntries(
    kinds.map((kind) => [kind, tallyOf(played.filter((round) => round.kind === kind))]),
  );
}

function tallyOf(rounds) {
  const count = (what) => rounds.reduce((sum, { found }) => sum + found[what].length, 0);
  const seconds = rounds.reduce((sum, round) => sum + round.seconds, 0);
  return {
    rounds: rounds.length,
    unhappened: rounds.filter(({ happened }) => !happened).length,
    meanSeconds: round1(seconds / rounds.length),
    longestUseMs: Math.max(...rounds.map(({ longestMs }) => longestMs)),
    lost: count('lost'),
    duplicated: count('duplicated'),
    orphans: count('orphans'),
    late: count('late'),
  };
}

/** @returns the path of the file, from the root of the clone */
export function keep({ settings: { rounds, seed, suite, kind }, played, kinds, total, entries }) {
  const counted = Object.fromEntries(Object.entries(total).map(([what, list]) => [what, list.length]));
  const minutes = round1(played.reduce((sum, { seconds }) => sum + seconds, 0) / 60);
  return write(suite, { rounds, seed, suite, kind, minutes, entries: Number(entries), ...counted, kinds });
}

/** Of the runs that kill the auditor only. @returns the path of the file, from the root of the clone */
export function keepLog({ seed, kills, restarts, plan, minutes, entries, checkpoints, gaveUp, found }) {
  const kinds = [...new Set(plan.map(({ kind }) => kind))].sort();
  return write('log', {
    ...{ seed, kills, restarts, minutes: round1(minutes), entries: Number(entries), checkpoints, gaveUp },
    ...Object.fromEntries(Object.entries(found).map(([what, list]) => [what, list.length])),
    steps: Object.fromEntries(kinds.map((kind) => [kind, plan.filter((step) => step.kind === kind).length])),
  });
}

function write(suite, figures) {
  const at = new Date().toISOString();
  const result = { commit: COMMIT, at, machine: machine(), ...figures };
  const path = join('faults', 'results', `${at.slice(0, 10)}${suite === 'all' ? '' : `-${suite}`}.json`);
  mkdirSync(join(root, 'faults', 'results'), { recursive: true });
  writeFileSync(join(root, path), `${JSON.stringify(result, null, 2)}\n`);
  return path;
}

const round1 = (value) => Math.round(value * 10) / 10;

function commit() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

function machine() {
  return {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
  };
}
