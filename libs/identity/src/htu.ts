/**
 * The URL in a DPoP proof, in the form in which RFC 9449 §4.3 compares: without query and fragment, normalised by syntax and scheme
 * (RFC 3986 §6.2.2, §6.2.3). Scheme and host in lower case, no default port, no dot segments, `/` for no path.
 */

const UNRESERVED = /^[A-Za-z0-9._~-]$/;

/**
 * @returns undefined for what is no absolute http URL in visible ASCII, or names a user. The URL parser of Node alone would let pass
 * `http:host`, backslashes, and tabs in the midst.
 */
export function normalHtu(text: string): string | undefined {
  if (!/^https?:\/\/[\x21-\x7e]+$/i.test(text) || text.includes('\\')) return undefined;
  if (!URL.canParse(text)) return undefined;
  const { protocol, host, pathname, username, password } = new URL(text);
  if (username !== '' || password !== '') return undefined;
  const path = pathname.replace(/%([0-9a-f]{2})/gi, (escaped, hex: string) => {
    const character = String.fromCharCode(parseInt(hex, 16));
    return UNRESERVED.test(character) ? character : escaped.toUpperCase();
  });
  return `${protocol}//${host}${path}`;
}
