/**
 * What a token grants (RFC 9396, type `mayfly_tool_access`): one tool at one place, on one dataset or on none, and which actions.
 * Pure. There are no wildcards, so that "covers" is equality and nothing has to be interpreted.
 */
import { refuse } from '#identity/refuse.js';
import { hasOnly, isName } from './claim-forms.js';
import type { Checked } from './refusal.js';

export const TOOL_ACCESS = 'mayfly_tool_access';

export interface ToolAccess {
  type: typeof TOOL_ACCESS;
  /** Where it is good: the audience of a token that grants it. */
  locations: [string];
  tool: string;
  /** Absent for a tool that works on no dataset; never "any". */
  dataset?: string;
  actions: string[];
  /** The task's id. */
  task: string;
}

export const MAX_DETAILS = 16;
export const MAX_ACTIONS = 32;
const MEMBERS = ['type', 'locations', 'tool', 'dataset', 'actions', 'task'] as const;

const invalid = (reason: string) => refuse('ERR_TOKEN_DETAILS', reason);

/**
 * Reads the claim `authorization_details`, or the parameter of that name. A type or a member that we do not know is refused
 * (RFC 9396 §5): it could be a condition, and a condition that is not understood is not kept.
 */
export function readAuthorizationDetails(value: unknown): Checked<{ details: ToolAccess[] }> {
  if (!Array.isArray(value) || value.length === 0)
    return invalid('authorization details are no list, or empty');
  if (value.length > MAX_DETAILS) return invalid('there are too many authorization details');
  const details: ToolAccess[] = [];
  for (const each of value as unknown[]) {
    const reading = readToolAccess(each);
    if (!reading.ok) return reading;
    details.push(reading.detail);
  }
  return { ok: true, details };
}

function readToolAccess(value: unknown): Checked<{ detail: ToolAccess }> {
  if (!hasOnly(value, MEMBERS))
    return invalid('an authorization detail is no object, or has a member we do not know');
  const { type, locations, tool, dataset, actions, task } = value;
  if (type !== TOOL_ACCESS) return invalid('an authorization detail is of a type we do not know');
  const location: unknown = Array.isArray(locations) && locations.length === 1 ? locations[0] : undefined;
  if (!isName(location, 2048)) return invalid('an authorization detail is not for exactly one location');
  if (!isName(tool) || !isName(task)) return invalid('an authorization detail lacks its tool or its task');
  if (dataset !== undefined && !isName(dataset))
    return invalid('an authorization detail has a malformed dataset');
  if (!isActions(actions)) return invalid('an authorization detail does not list its actions');
  return {
    ok: true,
    detail: {
      type,
      locations: [location],
      tool,
      ...(dataset !== undefined && { dataset }),
      actions: [...actions],
      task,
    },
  };
}

const isActions = (value: unknown): value is string[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= MAX_ACTIONS &&
  value.every((action) => isName(action, 128)) &&
  new Set(value).size === value.length;

/** One act, as somebody is about to do it. */
export interface Act {
  audience: string;
  tool: string;
  dataset?: string;
  action: string;
}

/** True if `granted` permits the act. A grant without a dataset covers acts without a dataset, and no others. */
export const covers = (granted: ToolAccess, { audience, tool, dataset, action }: Act): boolean =>
  granted.locations[0] === audience &&
  granted.tool === tool &&
  granted.dataset === dataset &&
  granted.actions.includes(action);

/** True if `inner` permits nothing that `outer` does not, for the same task. */
export const narrows = (outer: ToolAccess, inner: ToolAccess): boolean =>
  inner.task === outer.task &&
  inner.actions.every((action) =>
    covers(outer, { audience: inner.locations[0], tool: inner.tool, dataset: inner.dataset, action }),
  );
