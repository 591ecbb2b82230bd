/** The facts of a decision, as people read them: what policy was asked about, and all that it saw. */
import type { CallInputs } from '#policy/decision-inputs.js';

type Request = CallInputs['tool'];
type Value = Request['context'][string];
type Entity = Request['entities'][number];

export function factsLines({ tool, dataset }: CallInputs): string[] {
  const { task, now } = tool.context;
  const entities = new Map(
    [...tool.entities, ...(dataset?.entities ?? [])].map((entity) => [nameOf(entity.uid), entity]),
  );
  return [
    `  asked  ${questionText(tool)}`,
    ...(dataset === null ? [] : [`         ${questionText(dataset)}`]),
    `  task   ${membersText(task)}`,
    `  now    ${membersText(now)}`,
    ...[...entities.values()].map((entity) => `  ${entityText(entity)}`),
  ];
}

function questionText({ action, resource, context }: Request): string {
  const beside = Object.entries(context).filter(([name]) => name !== 'task' && name !== 'now');
  const members = membersText(Object.fromEntries(beside));
  return `${action.id} on ${nameOf(resource)}${members === '' ? '' : ` with ${members}`}`;
}

function entityText({ uid, attrs, parents }: Entity): string {
  const groups = parents.map((parent) => ('__entity' in parent ? parent.__entity.id : parent.id));
  const within = groups.length === 0 ? 'in no group' : `in ${groups.join(', ')}`;
  return `${nameOf(uid)}: ${[membersText(attrs), within].filter((text) => text !== '').join('; ')}`;
}

/** Sorted by name, for a database keeps no order. */
function membersText(record: Value | Record<string, Value> | undefined): string {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return 'not recorded';
  return Object.entries(record)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name} ${valueText(value as Value)}`)
    .join(', ');
}

function valueText(value: Value): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((each) => valueText(each)).join(', ')}]`;
  // Of which type it is, the name of the fact says.
  if ('__entity' in value) return (value as { __entity: { id: string } }).__entity.id;
  if ('__extn' in value) return (value as { __extn: { arg: string } }).__extn.arg;
  return `{${membersText(value)}}`;
}

function nameOf(uid: Entity['uid']): string {
  const { type, id } = '__entity' in uid ? uid.__entity : uid;
  return `${type.replace(/^Mayfly::/, '')} ${id}`;
}
