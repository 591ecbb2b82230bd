/** JWT-SVIDs (spiffe/spiffe, JWT-SVID.md): who a workload is, said by its trust domain. Reading proves nothing. */
import { SVID_ALGORITHMS } from './bundle.js';
import { sha256Hex } from './bytes.js';
import { readTokenParts, readValidity, type IdentityToken, type TokenParts } from './identity-token.js';
import { algorithmOf } from './jws.js';
import { refuse, type Checked } from './refuse.js';
import { trustDomainOf } from './spiffe-id.js';

const HEADER_MEMBERS = ['alg', 'kid', 'typ'];

const invalid = (reason: string) => refuse('ERR_SVID_INVALID', reason);

/** The form that JWT-SVID.md §2 and §3 ask for, a whole lifetime of at most 24 h, and a SPIFFE id as subject. */
export function svidOf({ token, jws, claims }: TokenParts): Checked<{ svid: IdentityToken }> {
  const algorithm = algorithmOf(jws, SVID_ALGORITHMS);
  if (algorithm === undefined) return invalid('the SVID is signed with an algorithm SPIFFE does not allow');
  const { kid, typ } = jws.header;
  if (Object.keys(jws.header).some((member) => !HEADER_MEMBERS.includes(member)))
    return invalid('the SVID has a header parameter SPIFFE does not allow');
  if (typ !== undefined && typ !== 'JWT' && typ !== 'JOSE') return invalid('the SVID has another typ');
  if (kid !== undefined && typeof kid !== 'string') return invalid('the SVID has a malformed key id');

  const { sub } = claims;
  const trustDomain = typeof sub === 'string' ? trustDomainOf(sub) : undefined;
  if (typeof sub !== 'string' || trustDomain === undefined)
    return invalid('the subject of the SVID is no SPIFFE id');
  const validity = readValidity(claims);
  if (!validity.ok) return validity;
  const { ok: _ok, ...valid } = validity;
  return {
    ok: true,
    svid: {
      sha256: sha256Hex(token),
      subject: sub,
      issuer: trustDomain,
      ...valid,
      ...(kid !== undefined && { kid }),
      algorithm,
      jws,
    },
  };
}

export function readSvid(token: string): Checked<{ svid: IdentityToken }> {
  const reading = readTokenParts(token);
  return reading.ok ? svidOf(reading.parts) : reading;
}

/** The audience of a token that is good only together with one key (RFC 7638 thumbprint, base64url). */
export const boundAudience = (audience: string, proofKeyThumbprint: string) =>
  `${audience}:jkt:${proofKeyThumbprint}`;
