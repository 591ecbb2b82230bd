/**
 * The permits that are about a question and do not hold for it: which part of each does not fit. The engine itself is asked, of each
 * policy its scope without conditions, and each of its conditions alone.
 */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { cedar } from '../cedar.js';
import type { CedarRequest } from '../cedar-request.js';
import type { ParsedPolicies, Place } from '../parse-policies.js';
import { conditionText } from './condition-text.js';

export interface NearPermit {
  id: string;
  reason: string;
  place: Place;
  /** It is for other agents. */
  isForOthers: boolean;
  /** Conditions that do not hold, as Cedar writes them: `when { … }`. */
  failing: string[];
}

/**
 * @returns permits for this action on this resource by id, those for others last; null where the engine cannot be asked, as about facts
 *   that do not fit the schema.
 */
export function nearPermits(policies: ParsedPolicies, request: CedarRequest): NearPermit[] | null {
  const permits = [...policies.rules.values()].flatMap(({ id, effect, reason }) => {
    const json = jsonOf(policies.texts[id] ?? '');
    const place = policies.places.get(id);
    return effect === 'forbid' || json === undefined || place === undefined
      ? []
      : [{ id, reason, place, json }];
  });
  const ask = (parts: [string, PolicyJson][]) => satisfied(policies.schema, parts, request);
  const about = ask(permits.map(({ id, json }) => [id, { ...json, principal: ALL, conditions: [] }]));
  const forIt = ask(permits.map(({ id, json }) => [id, { ...json, conditions: [] }]));
  const holding = ask(
    permits.flatMap(({ id, json }) =>
      json.conditions.map((condition, n): [string, PolicyJson] => [
        `${id}#${n}`,
        { ...json, principal: ALL, conditions: [condition] },
      ]),
    ),
  );
  if (about === null || forIt === null || holding === null) return null;
  return permits
    .filter(({ id }) => about.has(id))
    .map(({ id, reason, place, json }) => ({
      ...{ id, reason, place, isForOthers: !forIt.has(id) },
      failing: json.conditions.filter((_, n) => !holding.has(`${id}#${n}`)).map(conditionText),
    }))
    .sort((a, b) => Number(a.isForOthers) - Number(b.isForOthers));
}

const ALL = { op: 'All' } as const;

function jsonOf(text: string): PolicyJson | undefined {
  const answer = cedar.policyToJson(text);
  return answer.type === 'success' ? answer.json : undefined;
}

/** Names of the permits that hold. What fails does not. */
function satisfied(
  schema: string,
  permits: readonly [string, PolicyJson][],
  request: CedarRequest,
): ReadonlySet<string> | null {
  try {
    const policies = { staticPolicies: Object.fromEntries(permits) };
    const answer = cedar.isAuthorized({ ...request, schema, policies, validateRequest: true });
    return answer.type === 'success' ? new Set(answer.response.diagnostics.reason) : null;
  } catch {
    return null;
  }
}
