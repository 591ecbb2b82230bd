/** JSON Canonicalization Scheme (RFC 8785): one text for one value, so that it can be hashed and signed. */
import serialize from 'canonicalize';

/**
 * The canonical text of a JSON value.
 * @throws TypeError for what JSON cannot hold, and for lone surrogates (RFC 8785 §3.2.2.2), which the library lets through.
 */
export function canonical(value: unknown): string {
  const text = serialize(value);
  if (text === undefined) throw new TypeError('not a JSON value');
  // JSON.stringify writes a lone surrogate as \udXXX (well-formed JSON.stringify), so the text itself is well formed: look for the escape.
  if (/(?<!\\)(?:\\\\)*\\ud[89a-f][0-9a-f]{2}/.test(text)) throw new TypeError('lone surrogate in a string');
  return text;
}
