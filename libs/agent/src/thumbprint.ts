import { createHash } from 'node:crypto';

/** RFC 7638 §3.2: the members that make a key, in lexicographic order. */
const MEMBERS: Record<'EC' | 'OKP', readonly string[]> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
};

/** The RFC 7638 SHA-256 thumbprint of an EC or OKP public key, base64url. Members beyond the key itself do not count. */
export function thumbprint(jwk: { kty: 'EC' | 'OKP'; crv: string; x: string; y?: string }): string {
  const members = jwk as Record<string, unknown>;
  const text = JSON.stringify(Object.fromEntries(MEMBERS[jwk.kty].map((name) => [name, members[name]])));
  return createHash('sha256').update(text).digest('base64url');
}
