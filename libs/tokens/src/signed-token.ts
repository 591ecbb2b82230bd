/**
 * What all tokens of ours have in common (RFC 7519, RFC 8725): a compact JWS by ES256 with `alg`, `typ` and `kid` in its header and
 * nothing else. No key travels in a token, and no place to fetch one from. Pure.
 */
import type { KeyObject } from 'node:crypto';
import { decodeBase64url } from '#identity/bytes.js';
import { algorithmOf, readJws, signJws, verifyJws, type Jws } from '#identity/jws.js';
import { refuse } from '#identity/refuse.js';
import { isName } from './claim-forms.js';
import { readOneWay } from './one-reading.js';
import type { Checked, Refused } from './refusal.js';

export type TokenTyp = 'at+jwt' | 'statuslist+jwt' | 'secevent+jwt';

/** A private EC P-256 key, and the name under which its public half is published. */
export interface TokenKey {
  kid: string;
  key: KeyObject;
}

/** The issuer's public keys by name. MUST answer from configured or fetched keys only, whatever the name. */
export type KeyOf = (kid: string) => KeyObject | undefined;

/** A token as read: the header is as it must be, and nothing has been verified. */
export interface SignedToken {
  kid: string;
  jws: Jws;
  claims: Record<string, unknown>;
}

const ALGORITHMS = ['ES256'] as const;
const HEADER_MEMBERS = ['alg', 'typ', 'kid'];

const malformed = (reason: string) => refuse('ERR_TOKEN_MALFORMED', reason);

/** The form of a token of this `typ`: size before parsing, header before claims. */
export function readSignedToken(
  token: string,
  typ: TokenTyp,
  maxChars: number,
): Checked<{ signed: SignedToken }> {
  if (token.length > maxChars) return refuse('ERR_TOKEN_TOO_LARGE', 'the token is too long');
  const jws = readJws(token, maxChars);
  const headerBytes = decodeBase64url(token.slice(0, token.indexOf('.')));
  if (jws === undefined || headerBytes === undefined) return malformed('the token is no compact JWS');
  if (readOneWay(headerBytes) === undefined) return malformed('the header of the token has a member twice');
  const { kid, typ: actual } = jws.header;
  // A media type may be written in full (RFC 7515 §4.1.9). Another case is not read: nobody we know writes it.
  if (actual !== typ && actual !== `application/${typ}`)
    return refuse('ERR_TOKEN_TYP', 'the token is of another typ');
  if (algorithmOf(jws, ALGORITHMS) === undefined)
    return refuse('ERR_TOKEN_ALGORITHM', 'the token is signed with an algorithm that is not allowed');
  if (Object.keys(jws.header).some((member) => !HEADER_MEMBERS.includes(member)))
    return malformed('the token has a header parameter that is not allowed');
  if (!isName(kid, 256)) return malformed('the token does not name its key');
  const claims = readOneWay(jws.payload);
  if (claims === undefined)
    return malformed('the claims of the token are no JSON object, or have a member twice');
  return { ok: true, signed: { kid, jws, claims } };
}

/** After `ok`, whoever holds the key of that name has signed these claims. */
export function verifySignature({ kid, jws }: SignedToken, keyOf: KeyOf): { ok: true } | Refused {
  const key = keyOf(kid);
  if (key === undefined)
    return refuse('ERR_TOKEN_KEY_UNKNOWN', 'no key of the issuer has the name in the token');
  return verifyJws(jws, key, 'ES256')
    ? { ok: true }
    : refuse('ERR_TOKEN_SIGNATURE', 'the signature of the token does not verify');
}

/** @throws TypeError if the key is no EC P-256 key. */
export const signToken = (typ: TokenTyp, claims: object, { kid, key }: TokenKey): string =>
  signJws({ alg: 'ES256', typ, kid }, claims, key);
