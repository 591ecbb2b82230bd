/** What of evidence is asked for. Everything is text from outside. Pure. */
import { limitOf, MAX_WINDOW_MS, windowOf } from '../http/list-query.js';
import { invalid, one, rejectUnknown, type Query } from '../http/parameters.js';
import type { Names } from '../query/translate.js';
import { NAME_PARAMETERS, type Asked, type EvidenceQuery, type NameParameter } from './queries.js';

export const MAX_ROWS = 100;

export interface EvidenceRequest {
  asked: (at: { nowMs: number; longestMs: bigint }) => Asked;
  limit: number;
  cursor: string | undefined;
  /** All that was asked but for the page, as one text. */
  identity: string;
}

/** @throws ProblemError */
export function evidenceRequest(
  name: string,
  { takes }: Pick<EvidenceQuery, 'takes'>,
  query: Query,
  called: Names,
): EvidenceRequest {
  const names = NAME_PARAMETERS.filter((each) => takes.includes(each));
  const hasWindow = takes.includes('window');
  const known = [
    ...names,
    ...(hasWindow ? ['from', 'to'] : []),
    ...(takes.includes('minMs') ? ['minMs'] : []),
    ...['limit', 'after'],
  ];
  rejectUnknown(query, known);
  const wanted = Object.fromEntries(names.flatMap((each) => nameIn(query, each, called) ?? []));
  const minMs = msOf(one(query, 'minMs'));
  // Told now, also where it goes on from a page before.
  if (hasWindow) windowOf(query, false, Date.now());
  return {
    asked: ({ nowMs, longestMs }) => {
      const { fromMs, toMs = nowMs } = windowOf(hasWindow ? query : {}, false, nowMs);
      return {
        names: wanted,
        ...{ fromMs: BigInt(fromMs ?? toMs - MAX_WINDOW_MS), toMs: BigInt(toMs) },
        ...{ minMs, longestMs, nowMs: BigInt(nowMs) },
      };
    },
    limit: limitOf(one(query, 'limit'), MAX_ROWS),
    cursor: one(query, 'after'),
    identity: JSON.stringify([
      'evidence',
      name,
      ...[...names, 'from', 'to', 'minMs'].map((each) => query[each] ?? null),
    ]),
  };
}

/** Under each name that it may have in leaves. */
function nameIn(
  query: Query,
  name: NameParameter,
  { idOf, personOf }: Names,
): [NameParameter, string[]][] | undefined {
  const value = one(query, name);
  if (value === undefined) return undefined;
  if (!/^[^\p{Cc}\p{Cs}]{1,512}$/u.test(value))
    throw invalid(name, 'must be a name of at most 512 characters');
  if (name === 'principal') return [[name, [...new Set([value, personOf(value)])]]];
  return [[name, name === 'agent' && !value.startsWith('person:') ? [idOf(value)] : [value]]];
}

function msOf(text: string | undefined): bigint {
  if (text === undefined) return 0n;
  if (!/^(0|[1-9][0-9]{0,12})$/.test(text)) throw invalid('minMs', 'must be a number of milliseconds');
  return BigInt(text);
}
