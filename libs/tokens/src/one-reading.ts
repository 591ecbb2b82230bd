/** JSON that every parser reads alike: RFC 8259 §4 leaves open what a member given twice means, so it is refused. */
import { isObject, parseJson } from '#identity/bytes.js';

/** A JSON object in well-formed UTF-8 in which no object has a member twice; anything else is undefined. */
export function readOneWay(bytes: Buffer): Record<string, unknown> | undefined {
  const parsed = parseJson(bytes);
  if (!parsed.ok || !isObject(parsed.value)) return undefined;
  return membersIn(parsed.value) === colonsIn(bytes.toString('utf8')) ? parsed.value : undefined;
}

/** In valid JSON every colon outside a string follows a member's name, whether or not a later one replaced the member. */
const colonsIn = (text: string) => text.replace(/"(?:[^"\\]|\\.)*"/g, '').split(':').length - 1;

/** Without recursion: the depth is the sender's. */
function membersIn(value: unknown): number {
  let count = 0;
  const left: unknown[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== 'object' || next === null) continue;
    const inner = Object.values(next);
    if (!Array.isArray(next)) count += inner.length;
    for (const each of inner) left.push(each);
  }
  return count;
}
