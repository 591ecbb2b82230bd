/** JSON that every parser reads alike: RFC 8259 §4 leaves open what a member given twice means, so it is refused. */
import { isObject, parseJson } from '#identity/bytes.js';

/** A JSON object in well-formed UTF-8 in which no object has a member twice; anything else is undefined. */
export function readOneWay(bytes: Buffer): Record<string, unknown> | undefined {
  const parsed = parseJson(bytes);
  if (!parsed.ok || !isObject(parsed.value)) return undefined;
  return membersIn(parsed.value) === colonsIn(bytes) ? parsed.value : undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/**
 * In valid JSON every colon outside a string follows a member's name, whether or not a later one replaced the member. In UTF-8 none of
 * the three bytes is ever part of another character.
 */
function colonsIn(json: Buffer): number {
  let count = 0;
  for (let at = 0; at < json.length; at += 1) {
    if (json[at] === COLON) count += 1;
    else if (json[at] === QUOTE) at = endOfString(json, at);
  }
  return count;
}

/** Requires that a string begins at `from`. */
function endOfString(json: Buffer, from: number): number {
  let at = from + 1;
  while (json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}

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
