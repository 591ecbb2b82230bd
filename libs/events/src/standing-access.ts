/**
 * Standing access: principals at the targets that can reach what the catalogue governs, and that no lease explains. What a survey of a target
 * makes of what it saw, beside what was told before. Pure; times are epoch milliseconds.
 */
import type { Catalogue } from './catalogue.js';
import type { ProviderKind } from './lease-plan.js';
import type { OutboundData } from './outbound.js';
import { iso } from './revocation.js';
import type { STANDING_GONE, STANDING_WAYS } from './survey-events.js';

/** Stands for the task that there is none of: events of surveys carry it. */
export const NO_TASK = 'standing_access';

/** One action on one dataset, with the names at the target that carry its rights. */
export interface GovernedAction {
  dataset: string;
  action: string;
  rights: string[];
  /** It reads, as the catalogue maps it; otherwise it writes. */
  reads: boolean;
}

export interface Reach {
  dataset: string;
  actions: string[];
}

/** How a principal comes to its access. */
export interface StandingWay {
  way: (typeof STANDING_WAYS)[number];
  /** The role or group that it has it from; absent: it has it itself. */
  through?: string;
  /** What it is on, in the target's own words; absent: on everything. */
  object?: string;
  /** In the target's own words. */
  rights?: string[];
}

/** As a provider sees it. Names are the target's, and may hold any character. */
export interface StandingAccess {
  principal: string;
  reaches: Reach[];
  how: StandingWay[];
  /** The target will not end it by itself. */
  neverExpires: boolean;
  /** Lines of a script, in the target's own language, that would take it away: for a person to review. They hold no secret. */
  remedy: string[];
}

/** What an operator lets be, until somebody has to look at it again. */
export interface AllowedAccess {
  target: string;
  principal: string;
  reason: string;
  /** The last day on which it holds, `2027-10-31`, in UTC. */
  review: string;
}

/** A principal that was seen, as it is kept. */
export interface KnownStanding {
  access: StandingAccess;
  /** It was told as found, and not as gone since. */
  counts: boolean;
  foundAtMs: number;
}

type Common = 'taskId' | 'generation' | 'tenant' | 'causedBy' | 'actor' | 'at';
export type SurveyEvent = {
  [T in 'standing_access.found' | 'standing_access.gone']: { type: T; data: Omit<OutboundData<T>, Common> };
}['standing_access.found' | 'standing_access.gone'];

export interface Survey {
  target: string;
  provider: ProviderKind;
  /** All that was seen: a survey that was broken off says nothing. */
  seen: readonly StandingAccess[];
  allowed: readonly AllowedAccess[];
  owners: ReadonlyMap<string, string>;
  nowMs: number;
}

export interface Surveyed {
  events: SurveyEvent[];
  /** Rows as they are now. */
  keep: KnownStanding[];
  /** Principals of which nothing is to be seen any more. */
  drop: string[];
}

/** Events must not grow with a target. */
const MOST_TOLD = 50;
const DAY_MS = 86_400_000;

/** What is governed at a target, by the catalogue. */
export const governedAt = (target: string, { datasets }: Pick<Catalogue, 'datasets'>): GovernedAction[] =>
  [...datasets.values()]
    .filter((dataset) => dataset.target === target)
    .flatMap(({ id, actions }) =>
      [...actions].map(([action, { rights, cedar }]) => ({
        ...{ dataset: id, action, rights: [...rights] },
        reads: cedar === 'readDataset',
      })),
    );

/** Owners by dataset, where the catalogue names one. */
export const ownersOf = ({ datasets }: Pick<Catalogue, 'datasets'>): Map<string, string> =>
  new Map(
    [...datasets.values()].flatMap(({ id, owner }) => (owner === undefined ? [] : [[id, owner] as const])),
  );

/** An entry past its day counts for nothing. */
export const isOverdue = ({ review }: Pick<AllowedAccess, 'review'>, nowMs: number): boolean =>
  nowMs >= Date.parse(`${review}T00:00:00.000Z`) + DAY_MS;

export const entryFor = (
  target: string,
  principal: string,
  allowed: readonly AllowedAccess[],
): AllowedAccess | undefined =>
  allowed.find((entry) => entry.target === target && entry.principal === principal);

/** Found is told once, and again where more is reached; gone once. Seeing the same again tells nothing. */
export function judgeSurvey(survey: Survey, before: ReadonlyMap<string, KnownStanding>): Surveyed {
  const events: SurveyEvent[] = [];
  const keep = survey.seen.map((access): KnownStanding => {
    const known = before.get(access.principal);
    const entry = entryFor(survey.target, access.principal, survey.allowed);
    const counts = entry === undefined || isOverdue(entry, survey.nowMs);
    const wasTold = known?.counts === true;
    if (counts && (!wasTold || reachesMore(access, known.access))) events.push(found(access, survey));
    if (!counts && wasTold) events.push(gone(access.principal, 'allowed', survey, entry));
    return { access, counts, foundAtMs: known?.foundAtMs ?? survey.nowMs };
  });
  const isThere = new Set(survey.seen.map(({ principal }) => principal));
  const drop = [...before.keys()].filter((principal) => !isThere.has(principal));
  for (const principal of drop)
    if (before.get(principal)?.counts === true) events.push(gone(principal, 'no_access', survey));
  return { events, keep, drop };
}

function reachesMore({ reaches }: StandingAccess, told: StandingAccess): boolean {
  const before = new Set(
    told.reaches.flatMap(({ dataset, actions }) => actions.map((a) => `${dataset} ${a}`)),
  );
  return reaches.some(({ dataset, actions }) =>
    actions.some((action) => !before.has(`${dataset} ${action}`)),
  );
}

function found(
  { principal, reaches, how, neverExpires }: StandingAccess,
  { target, provider, owners }: Survey,
): SurveyEvent {
  const more = Math.max(0, reaches.length - MOST_TOLD);
  const told = reaches.slice(0, MOST_TOLD);
  return {
    type: 'standing_access.found',
    data: {
      ...{ target, provider, principal, neverExpires },
      reaches: told.map(({ dataset, actions }) => ({ dataset, actions: [...actions] })),
      ways: [...new Set(how.map(({ way }) => way))].sort(),
      owners: [...new Set(told.flatMap(({ dataset }) => owners.get(dataset) ?? []))].sort(),
      ...(more === 0 ? {} : { more }),
    },
  };
}

const gone = (
  principal: string,
  why: (typeof STANDING_GONE)[number],
  { target, provider }: Survey,
  entry?: AllowedAccess,
): SurveyEvent => ({
  type: 'standing_access.gone',
  data: {
    ...{ target, provider, principal, why },
    ...(entry === undefined ? {} : { reason: entry.reason, review: entry.review }),
  },
});

/** Members that every event carries, of what no task is behind. */
export const surveyed = (actor: string, nowMs: number) => ({
  taskId: NO_TASK,
  generation: 0,
  actor,
  at: iso(nowMs),
});
