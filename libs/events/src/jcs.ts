/** JSON Canonicalization Scheme (RFC 8785): one text for one value, so that it can be hashed and signed. */

/**
 * The canonical text of a JSON value. A member that is undefined is left out, and what has a `toJSON` is what that says, as in `JSON.stringify`.
 * @throws TypeError for what JSON cannot hold, and for lone surrogates (RFC 8785 §3.2.2.2); RangeError for what holds itself
 */
export function canonical(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError('not a JSON value');
      // As ECMAScript writes it (RFC 8785 §3.2.2.3), and zero without a sign.
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return arrayText(value);
      return hasJson(value) ? canonical(value.toJSON()) : objectText(value as Record<string, unknown>);
    default:
      throw new TypeError('not a JSON value');
  }
}

const hasJson = (value: object): value is { toJSON: () => unknown } =>
  'toJSON' in value && typeof value.toJSON === 'function';

function arrayText(values: readonly unknown[]): string {
  let text = '[';
  for (let n = 0; n < values.length; n += 1) text += (n === 0 ? '' : ',') + canonical(values[n] ?? null);
  return `${text}]`;
}

function objectText(members: Readonly<Record<string, unknown>>): string {
  let text = '{';
  let comma = '';
  for (const name of sortedNames(members)) {
    const value = members[name];
    if (value === undefined) continue;
    text += comma + nameText(name) + canonical(value);
    comma = ',';
  }
  return `${text}}`;
}

/** By UTF-16 code units (RFC 8785 §3.2.3), as ECMAScript compares strings. Most objects here are written in that order already. */
function sortedNames(members: object): string[] {
  const names = Object.keys(members);
  for (let n = 1; n < names.length; n += 1)
    if ((names[n - 1] as string) > (names[n] as string)) return names.sort();
  return names;
}

/** Names as they are written, with their colons: nearly all are of our own schemas. */
const written = new Map<string, string>();
const WRITTEN_MAX = 2_000;

function nameText(name: string): string {
  let text = written.get(name);
  if (text === undefined) {
    text = `${quoted(name)}:`;
    if (written.size < WRITTEN_MAX && name.length <= 64) written.set(name, text);
  }
  return text;
}

/** What stands between quotes as it is: no quote, no backslash, no control character, and no half of a pair. */
const AS_IT_IS = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;

function quoted(text: string): string {
  if (AS_IT_IS.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new TypeError('lone surrogate in a string');
  return JSON.stringify(text);
}
