/** The entities that a policy names and the catalogue does not have, with their places. Pure. */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Catalogue } from '#events/catalogue.js';
import { entityIn, nodesOfPolicy } from './expressions.js';

interface NamedEntity {
  /** `Mayfly::Domain`. */
  type: string;
  id: string;
  /** Index into the policy's text; 0 where it cannot be told. */
  index: number;
}

/** Each entity once, wherever the policy speaks of it. */
function namesIn(policy: PolicyJson, text: string): NamedEntity[] {
  const inScope = [policy.principal, policy.resource].flatMap((constraint) => entitiesOf(constraint));
  const inConditions = nodesOfPolicy(policy).flatMap(({ expr }) => entityIn(expr) ?? []);
  const each = new Map([...inScope, ...inConditions].map((entity) => [JSON.stringify(entity), entity]));
  return [...each.values()].map(({ type, id }) => ({
    ...{ type, id },
    index: Math.max(0, text.indexOf(`${type}::${JSON.stringify(id)}`)),
  }));
}

type Constraint = PolicyJson['principal'] | PolicyJson['resource'];

function entitiesOf(constraint: Constraint): { type: string; id: string }[] {
  const within = 'in' in constraint ? constraint.in : constraint;
  if (within === undefined || !('entity' in within)) return [];
  const { entity } = within;
  const { type, id } = '__entity' in entity ? entity.__entity : entity;
  return [{ type, id }];
}

export interface UnknownName extends NamedEntity {
  message: string;
  help: string;
}

/** A group that nobody is in makes a rule that never holds: of a forbid, nobody would notice. People are in no catalogue. */
export function unknownNames(policy: PolicyJson, text: string, catalogue: Catalogue): UnknownName[] {
  const known = namesOf(catalogue);
  return namesIn(policy, text).flatMap((named) => {
    const { type, id } = named;
    const names = known[type];
    if (names === undefined || names.has(id)) return [];
    const near = nearest(names, id);
    return [
      {
        ...named,
        message: `the catalogue has no \`${type}::"${id}"\`, so this never holds`,
        help: near === undefined ? `it has ${listOf(names)}` : `did you mean \`${near}\`?`,
      },
    ];
  });
}

const listOf = (names: ReadonlySet<string>): string =>
  names.size === 0
    ? 'none at all'
    : [...names]
        .sort()
        .slice(0, 10)
        .map((name) => `\`${name}\``)
        .join(', ');

function namesOf(catalogue: Catalogue): Partial<Record<string, ReadonlySet<string>>> {
  const { agents, tools, datasets, orchestrators } = catalogue;
  const groups = (entries: Iterable<{ groups: readonly string[] }>) =>
    new Set([...entries].flatMap((entry) => entry.groups));
  return {
    'Mayfly::Agent': new Set(agents.keys()),
    'Mayfly::Tool': new Set(tools.keys()),
    'Mayfly::Dataset': new Set(datasets.keys()),
    'Mayfly::Orchestrator': new Set(orchestrators.keys()),
    'Mayfly::AgentGroup': groups(agents.values()),
    'Mayfly::ToolGroup': groups(tools.values()),
    'Mayfly::OrchestratorGroup': groups(orchestrators.values()),
    'Mayfly::Domain': new Set([...datasets.values()].flatMap(({ domains }) => domains)),
  };
}

/** The name of which the fewest letters are other, missing or too many: at most two, and not all of them. */
function nearest(names: ReadonlySet<string>, id: string): string | undefined {
  const sorted = [...names]
    .map((name) => ({ name, letters: lettersBetween(name, id) }))
    .sort((a, b) => a.letters - b.letters);
  const [first] = sorted.filter(({ letters }) => letters <= 2 && letters < id.length);
  return first?.name;
}

/** Levenshtein's distance. */
function lettersBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1)
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
