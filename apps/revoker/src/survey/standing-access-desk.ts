/** Standing access as it is shown: what the surveys of all processes have found, beside what operators let be now. */
import {
  entryFor,
  isOverdue,
  ownersOf,
  type AllowedAccess,
  type KnownStanding,
  type StandingWay,
} from '#events/standing-access.js';
import { iso } from '#events/revocation.js';
import { tellsStandingAccess } from '#providers/target-survey.js';
import type { RevokerParts } from '../revoker-parts.js';
import { admitReader, type ReadersMeans, type ReadRequest } from './readers.js';
import { readStanding, readSurveys } from './standing-rows.js';

export interface StandingAccessDeskMeans {
  /** Its catalogue is the one of now. */
  parts: Pick<RevokerParts, 'db' | 'trust' | 'catalogue' | 'providers'>;
  allowed: () => readonly AllowedAccess[];
  isPrivate: ReadersMeans['isPrivate'];
}

export interface ShownTarget {
  target: string;
  provider: string;
  /** False: its kind has no accounts of others that could be looked for. */
  canBeSurveyed: boolean;
  surveyedAt: string | null;
  /** A code: the last survey came to nothing, and what is shown is from the one before. */
  failed: string | null;
}

export interface ShownStanding {
  target: string;
  provider: string;
  principal: string;
  reaches: { dataset: string; actions: string[]; owner?: string }[];
  how: StandingWay[];
  neverExpires: boolean;
  foundAt: string;
  /** Null: nobody lets it be. */
  allowed: { reason: string; review: string; overdue: boolean } | null;
  remedy: string[];
}

export class StandingAccessDesk {
  constructor(private readonly means: StandingAccessDeskMeans) {}

  /** @throws ProblemError where the caller may not read it */
  async answer(request: ReadRequest): Promise<{ targets: ShownTarget[]; standing: ShownStanding[] }> {
    const { parts, isPrivate } = this.means;
    const operators = () => parts.catalogue.operators;
    admitReader(request, { trust: parts.trust, operators, isPrivate }, Date.now());
    return await this.view(Date.now());
  }

  async view(nowMs: number): Promise<{ targets: ShownTarget[]; standing: ShownStanding[] }> {
    const { db, providers } = this.means.parts;
    const surveys = new Map((await readSurveys(db, [...providers.keys()])).map((row) => [row.target, row]));
    const targets = [...providers].map(([target, provider]): ShownTarget => {
      const { surveyedAtMs = null, failed = null } = surveys.get(target) ?? {};
      const surveyedAt = surveyedAtMs === null ? null : iso(surveyedAtMs);
      const canBeSurveyed = tellsStandingAccess(provider);
      return { target, provider: provider.kind, canBeSurveyed, surveyedAt, failed };
    });
    const standing: ShownStanding[] = [];
    for (const { target, provider } of targets)
      for (const known of (await readStanding(db.pool, target)).values())
        standing.push(this.#shown(target, provider, known, nowMs));
    return { targets, standing: standing.sort(byName) };
  }

  #shown(target: string, provider: string, known: KnownStanding, nowMs: number): ShownStanding {
    const { parts, allowed } = this.means;
    const { principal, reaches, how, neverExpires, remedy } = known.access;
    const owners = ownersOf(parts.catalogue);
    const entry = entryFor(target, principal, allowed());
    return {
      ...{ target, provider, principal, neverExpires, foundAt: iso(known.foundAtMs) },
      reaches: reaches.map((reach) => {
        const owner = owners.get(reach.dataset);
        return { ...reach, ...(owner === undefined ? {} : { owner }) };
      }),
      how,
      allowed:
        entry === undefined
          ? null
          : { reason: entry.reason, review: entry.review, overdue: isOverdue(entry, nowMs) },
      remedy,
    };
  }
}

const byName = (a: ShownStanding, b: ShownStanding) =>
  a.target === b.target ? (a.principal < b.principal ? -1 : 1) : a.target < b.target ? -1 : 1;
