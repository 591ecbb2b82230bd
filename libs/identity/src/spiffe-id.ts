/** SPIFFE ids (spiffe/spiffe, SPIFFE-ID.md §2): `spiffe://<trust domain>/<path>`. */

/** Lower-case letters, digits, dots, dashes and underscores; at most 255. No port, no user. */
export const isTrustDomain = (text: string) => /^[a-z0-9._-]{1,255}$/.test(text);

const ID = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/;

/**
 * The trust domain of a workload's id, or undefined if it is none: longer than 2,048 bytes, without a path, with an
 * empty, `.` or `..` segment, a trailing slash, a query, a fragment, or a percent sign.
 */
export function trustDomainOf(id: string): string | undefined {
  if (id.length > 2048) return undefined;
  const match = ID.exec(id);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  if (match[2].split('/').some((segment) => segment === '.' || segment === '..')) return undefined;
  return match[1];
}
