/** One survey of one target: who can reach what is governed there, beside what was told before. */
import type { OutboundEvent } from '#events/outbound.js';
import {
  governedAt,
  judgeSurvey,
  ownersOf,
  surveyed,
  type AllowedAccess,
  type StandingAccess,
  type SurveyEvent,
} from '#events/standing-access.js';
import type { CredentialProvider } from '#providers/provider.js';
import type { TellsStandingAccess } from '#providers/target-survey.js';
import { transact } from '#store/database.js';
import { enqueue } from '#store/outbox.js';
import { codeOf } from '../cut-lease.js';
import { credentialRecord, SOURCE } from '../publish.js';
import type { RevokerParts } from '../revoker-parts.js';
import { lockTarget, readStanding, saveStanding } from './standing-rows.js';
import { surveyedTarget } from './target-rows.js';

export type SurveyedProvider = Pick<CredentialProvider, 'kind'> & TellsStandingAccess;

/** A survey that is broken off tells nothing, and takes nothing back. @throws what the target or the database said */
export async function surveyTarget(
  target: string,
  provider: SurveyedProvider,
  parts: Pick<RevokerParts, 'db' | 'send' | 'catalogue' | 'log'>,
  allowed: readonly AllowedAccess[],
): Promise<void> {
  const { db, send, catalogue, log } = parts;
  const seen: StandingAccess[] = [];
  try {
    for await (const found of provider.standingAccess(governedAt(target, catalogue))) seen.push(found);
  } catch (error) {
    await surveyedTarget(db.pool, target, codeOf(error), Date.now());
    throw error;
  }
  const survey = { target, provider: provider.kind, seen, allowed, owners: ownersOf(catalogue) };
  const { events, queued } = await transact(db, async (tx) => {
    await lockTarget(tx, target);
    const nowMs = Date.now();
    const judged = judgeSurvey({ ...survey, nowMs }, await readStanding(tx, target));
    await saveStanding(tx, target, judged);
    await surveyedTarget(tx, target, null, nowMs);
    const records = judged.events.map((event) => credentialRecord(told(event, nowMs), nowMs));
    return { events: judged.events, queued: await enqueue(tx, records) };
  });
  if (queued.length > 0) send(queued);
  const found = events.filter(({ type }) => type === 'standing_access.found').length;
  if (found > 0) log.warn({ target, principals: found }, 'standing access was found');
}

const told = ({ type, data }: SurveyEvent, nowMs: number) =>
  ({ type, data: { ...surveyed(SOURCE, nowMs), ...data } }) as OutboundEvent;
