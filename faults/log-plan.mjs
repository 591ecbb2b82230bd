/** What happens to the auditor while records pour in, and in which order: fixed by a seed. Pure. */
import { randomFrom } from './plan.mjs';

/** How often each way to be killed is chosen, and how many processes it kills. */
const WAYS = [
  /** At a random moment, while it works off what has gathered. */
  { kind: 'kill', share: 5, kills: 1 },
  /** By its own hand at a point, from its first step on. */
  { kind: 'death', share: 3, kills: 1 },
  /** Of two the one that writes, and the other has to take over. */
  { kind: 'takeover', share: 3, kills: 1 },
  /** Both at once. */
  { kind: 'pair', share: 1, kills: 2 },
];
const POINTS = [
  'append.before_commit',
  'append.after_commit',
  'batch.before_commit',
  'batch.after_commit',
  'relay.before_publish',
  'relay.after_publish',
];
const HOW = ['crash', 'fast'];
/** Kafka is made to forget how far the auditor has come, and would hand it everything again: once for so many kills. */
const KILLS_A_REPLAY = 50;
const LONGEST_MS = 900;

/**
 * @param {{ kills: number, restarts: number, seed: number }} wanted
 * @returns {{ kind: string, kills: number, afterMs?: number, point?: string, how?: string }[]}
 */
export function logPlan({ kills, restarts, seed }) {
  const random = randomFrom(seed);
  const below = (n) => Math.floor(random() * n);
  const chances = WAYS.flatMap((way) => Array.from({ length: way.share }, () => way));
  const steps = [];
  for (let left = kills; left > 0;) {
    const way = chances[below(chances.length)];
    if (way.kills > left) continue;
    left -= way.kills;
    steps.push(stepOf(way, below));
  }
  for (let n = 0; n < restarts; n += 1)
    steps.push({ kind: 'store_restart', kills: 0, how: HOW[n % HOW.length], afterMs: below(LONGEST_MS) });
  for (let n = 0; n < Math.ceil(kills / KILLS_A_REPLAY); n += 1) steps.push({ kind: 'replay', kills: 1 });
  for (let n = steps.length - 1; n > 0; n -= 1) {
    const other = below(n + 1);
    [steps[n], steps[other]] = [steps[other], steps[n]];
  }
  return steps;
}

function stepOf({ kind, kills }, below) {
  if (kind === 'death') {
    const point = POINTS[below(POINTS.length)];
    // It sends checkpoints only, about one a second.
    return { kind, kills, point: `${point}:${point.startsWith('relay.') ? 1 : 1 + below(3)}` };
  }
  return { kind, kills, afterMs: below(LONGEST_MS) };
}

/** A line about it. */
export const nameOfStep = ({ kind, point, how, afterMs }) =>
  [kind, point, how, afterMs === undefined ? undefined : `after ${afterMs} ms`]
    .filter((word) => word !== undefined)
    .join(' ');
