/**
 * What a right of the catalogue means at Kafka. A right is one binding, and a binding is all that it gives: what cannot be said so is
 * refused. READ and WRITE bring DESCRIBE with them, by Kafka's own rule.
 *
 *   read:topic:<name>  write:topic:<name>  read:topics:<prefix>  write:topics:<prefix>
 *   read:group:<id>    read:groups:<prefix>
 *   own-groups         consumer groups whose id begins with the principal's name
 */

/** Codes of the protocol ("ACL" in its reference). `ANY` is for filters. */
export const RESOURCE = { ANY: 1, TOPIC: 2, GROUP: 3 } as const;
export const PATTERN = { ANY: 1, LITERAL: 3, PREFIXED: 4 } as const;
export const OPERATION = { ANY: 1, READ: 3, WRITE: 4 } as const;
export const PERMISSION = { ANY: 1, ALLOW: 3 } as const;

export interface Binding {
  resourceType: (typeof RESOURCE)['TOPIC' | 'GROUP'];
  resourceName: string;
  resourcePatternType: (typeof PATTERN)['LITERAL' | 'PREFIXED'];
  operation: (typeof OPERATION)['READ' | 'WRITE'];
}

const RIGHT = /^(read|write):(topic|topics|group|groups):([A-Za-z0-9._-]{1,110})$/;
const RESOURCES = {
  topic: RESOURCE.TOPIC,
  topics: RESOURCE.TOPIC,
  group: RESOURCE.GROUP,
  groups: RESOURCE.GROUP,
};
/** Kafka's own topics, and those of a Mayfly whose bus the cluster may be. */
const NEVER_LENT = ['__', 'mayfly.'];

/** Null where it cannot be expressed exactly. */
export function bindingOf(right: string, principal: string): Binding | null {
  if (right === 'own-groups') return group(principal, PATTERN.PREFIXED);
  const [whole, verb, what, name] = RIGHT.exec(right) ?? [];
  if (whole === undefined || !isResource(what) || name === undefined) return null;
  const isPrefix = what.endsWith('s');
  const pattern = isPrefix ? PATTERN.PREFIXED : PATTERN.LITERAL;
  if (RESOURCES[what] === RESOURCE.GROUP) return verb === 'read' ? group(name, pattern) : null;
  if (name === '.' || name === '..' || NEVER_LENT.some((own) => reaches(name, isPrefix, own))) return null;
  return {
    resourceType: RESOURCE.TOPIC,
    resourceName: name,
    resourcePatternType: pattern,
    operation: verb === 'read' ? OPERATION.READ : OPERATION.WRITE,
  };
}

const group = (resourceName: string, resourcePatternType: Binding['resourcePatternType']): Binding => ({
  ...{ resourceType: RESOURCE.GROUP, operation: OPERATION.READ },
  ...{ resourceName, resourcePatternType },
});

const isResource = (what: string | undefined): what is keyof typeof RESOURCES =>
  what !== undefined && Object.hasOwn(RESOURCES, what);

/** A short prefix reaches what a longer name is kept from. */
const reaches = (name: string, isPrefix: boolean, own: string): boolean =>
  name.startsWith(own) || (isPrefix && own.startsWith(name));
