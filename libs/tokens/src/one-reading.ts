/** JSON that every parser reads alike: RFC 8259 §4 leaves open what a member given twice means, so it is refused. */
import { isObject, parseJson } from '#identity/bytes.js';

/** A JSON object in well-formed UTF-8 in which no object has a member twice; anything else is undefined. */
export function readOneWay(bytes: Buffer): Record<string, unknown> | undefined {
  const parsed = parseJson(bytes);
  if (!parsed.ok || !isObject(parsed.value)) return undefined;
  return membersIn(parsed.value) === colonsIn(bytes.toString('utf8')) ? parsed.value : undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** In valid JSON every colon outside a string follows a member's name, whether or not a later one replaced the member. */
function colonsIn(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === COLON) count += 1;
    if (unit === QUOTE) at = endOfString(text, at);
  }
  return count;
}

/** Requires that a string begins at `from`. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
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
