/** What a task's stream tells of drift, folded. Bounded: a line for each agent and signal, and what each agent did last. */
import type { DriftSignal } from './drift-signal.js';
import type { EventOf } from './outbound.js';
import type { RefusalCode } from './refusal.js';

/** Full: nothing adds to it. */
export const SCORE_MAX = 100;

export interface SeenSignal {
  signal: DriftSignal;
  agent: string;
  count: number;
  /** RFC 3339. */
  firstAt: string;
  lastAt: string;
}

/** Since the start, or since a person let the task go on. */
export interface Drift {
  /** 0 to 100. It only grows, until a person lets the task go on. */
  score: number;
  signals: SeenSignal[];
}

export interface Model {
  name: string;
  version?: string | undefined;
}

/** How one agent has acted so far, as far as drift is measured by it. */
export interface Conduct {
  /** Its calls that were permitted or denied, and the denied among them, since the task last went on. */
  decided: number;
  refused: number;
  /** That of its last call that named one, and could have been permitted. */
  model?: Model;
  /** Uses of its leases are reported in this task. */
  reports?: true;
}

const NO_CONDUCT: Conduct = { decided: 0, refused: 0 };
const NO_DRIFT: Drift = { score: 0, signals: [] };

/** @param drift absent: none so far */
export function withSeen(
  drift: Drift | undefined,
  seen: readonly DriftSignal[],
  agent: string,
  at: string,
): Drift | undefined {
  return seen.reduce<Drift | undefined>((now = NO_DRIFT, signal) => {
    const isIt = (each: SeenSignal) => each.signal === signal && each.agent === agent;
    const known = now.signals.find(isIt) ?? { signal, agent, count: 0, firstAt: at, lastAt: at };
    const next = { ...known, count: known.count + 1, lastAt: at };
    return { ...now, signals: [...now.signals.filter((each) => !isIt(each)), next] };
  }, drift);
}

export const withScore = (drift: Drift = NO_DRIFT, score: number): Drift => ({ ...drift, score });

/** What was asked while nothing could be had says nothing of its agent. */
const NOT_LIVE: readonly (RefusalCode | undefined)[] = [
  'ERR_TASK_SUSPENDED',
  'ERR_TASK_ENDED',
  'ERR_PARENT_ENDED',
  'ERR_AGENT_REVOKED',
];
type Decided = Pick<EventOf<'call.decided'>['data'], 'decision' | 'code'>;
const wasLive = ({ code }: Decided): boolean => !NOT_LIVE.includes(code);

/** Denied, of a task in which it could have been permitted. */
export const isRefused = (decided: Decided): boolean => decided.decision === 'deny' && wasLive(decided);

export function afterCall(
  conduct: Conduct = NO_CONDUCT,
  decided: Decided & { model?: Model | undefined },
): Conduct {
  const refused = isRefused(decided);
  const counts = refused || decided.decision === 'permit';
  const { model } = decided;
  return {
    ...conduct,
    decided: conduct.decided + (counts ? 1 : 0),
    refused: conduct.refused + (refused ? 1 : 0),
    // A model that came while the task was suspended is seen in the first call after it.
    ...(model === undefined || !wasLive(decided) ? {} : { model: mergedModel(conduct.model, model) }),
  };
}

/** A call that leaves the version out does not hide a change of it. */
const mergedModel = (known: Model | undefined, { name, version }: Model): Model => {
  const given = version ?? (known?.name === name ? known.version : undefined);
  return given === undefined ? { name } : { name, version: given };
};

export const afterReport = (conduct: Conduct = NO_CONDUCT): Conduct => ({ ...conduct, reports: true });

/** A person has let the task go on: what was before counts no more, but for whose uses are reported. It stays in the stream and the log. */
export const forgiven = (conduct: Readonly<Record<string, Conduct>> = {}) => ({
  drift: undefined,
  conduct: Object.fromEntries(
    Object.entries(conduct).flatMap(([agent, { reports }]): [string, Conduct][] =>
      reports === true ? [[agent, { ...NO_CONDUCT, reports }]] : [],
    ),
  ),
});
