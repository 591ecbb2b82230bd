/**
 * Compact JWS (RFC 7515 §7.1) by `node:crypto`, synchronously: on busy cores the thread pool behind WebCrypto costs more than
 * the signature. The specs check every algorithm against `jose`, both ways.
 */
import { constants, sign, verify, type KeyObject } from 'node:crypto';
import { decodeBase64url, isObject, parseJson } from './bytes.js';
import { SignatureThreads, type Way } from './signature-threads.js';

interface Algorithm {
  digest: 'sha256' | 'sha384' | 'sha512' | null;
  /** OpenSSL's name of the curve, or the family of the key. */
  key: 'prime256v1' | 'secp384r1' | 'secp521r1' | 'rsa' | 'ed25519';
  /** Length of the signature, where the algorithm fixes it. */
  signatureBytes?: number;
  pss?: true;
}

const ALGORITHMS = {
  RS256: { digest: 'sha256', key: 'rsa' },
  RS384: { digest: 'sha384', key: 'rsa' },
  RS512: { digest: 'sha512', key: 'rsa' },
  PS256: { digest: 'sha256', key: 'rsa', pss: true },
  PS384: { digest: 'sha384', key: 'rsa', pss: true },
  PS512: { digest: 'sha512', key: 'rsa', pss: true },
  ES256: { digest: 'sha256', key: 'prime256v1', signatureBytes: 64 },
  ES384: { digest: 'sha384', key: 'secp384r1', signatureBytes: 96 },
  ES512: { digest: 'sha512', key: 'secp521r1', signatureBytes: 132 },
  Ed25519: { digest: null, key: 'ed25519', signatureBytes: 64 },
  EdDSA: { digest: null, key: 'ed25519', signatureBytes: 64 },
} as const satisfies Record<string, Algorithm>;

export type JwsAlgorithm = keyof typeof ALGORITHMS;

/** A parsed token. Nothing in it has been verified. */
export interface Jws {
  header: Record<string, unknown>;
  payload: Buffer;
  /** What the signature is over: the first two parts and the dot between them. */
  signingInput: Buffer;
  signature: Buffer;
}

/** Longest token that is looked at, in characters. */
export const MAX_JWS_CHARS = 16_384;

/** Three non-empty parts of strict base64url, and a header that is a JSON object without `crit` (RFC 7515 §4.1.11: we know no extension). */
export function readJws(token: string, maxChars = MAX_JWS_CHARS): Jws | undefined {
  if (token.length > maxChars) return undefined;
  const parts = token.split('.');
  const [headerPart, payloadPart, signaturePart] = parts;
  if (parts.length !== 3 || !headerPart || !payloadPart || !signaturePart) return undefined;
  const headerBytes = decodeBase64url(headerPart);
  const payload = decodeBase64url(payloadPart);
  const signature = decodeBase64url(signaturePart);
  if (headerBytes === undefined || payload === undefined || signature === undefined) return undefined;
  const header = parseJson(headerBytes);
  if (!header.ok || !isObject(header.value) || Object.hasOwn(header.value, 'crit')) return undefined;
  const signingInput = Buffer.from(`${headerPart}.${payloadPart}`, 'latin1');
  return { header: header.value, payload, signingInput, signature };
}

/** The token's algorithm, if it is one of `allowed`. `none` and the HMAC family are in no list. */
export function algorithmOf<A extends JwsAlgorithm>(jws: Jws, allowed: readonly A[]): A | undefined {
  return allowed.find((algorithm) => algorithm === jws.header.alg);
}

/** True if `key` is of the kind and curve that `algorithm` asks for. */
export function fits(key: KeyObject, algorithm: JwsAlgorithm): boolean {
  const wanted = ALGORITHMS[algorithm].key;
  if (wanted === 'rsa' || wanted === 'ed25519') return key.asymmetricKeyType === wanted;
  return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === wanted;
}

const optionsFor = (key: KeyObject, { pss }: Algorithm) => ({
  key,
  dsaEncoding: 'ieee-p1363' as const,
  ...(pss && { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }),
});

/** True if `signature` is by `key` under `algorithm`, which the caller has taken from its own list. */
export function verifyJws(jws: Jws, key: KeyObject, algorithm: JwsAlgorithm): boolean {
  const how: Algorithm = ALGORITHMS[algorithm];
  return (
    mayBeBy(jws, key, algorithm) && verify(how.digest, jws.signingInput, optionsFor(key, how), jws.signature)
  );
}

const threads = new SignatureThreads();

/** As {@link verifyJws}, by other threads: for many at once, of which nobody waits for a single one. */
export async function verifyJwsElsewhere(
  jws: Jws,
  key: KeyObject,
  algorithm: JwsAlgorithm,
): Promise<boolean> {
  if (!mayBeBy(jws, key, algorithm)) return false;
  const isBy = await threads.check(wayOf(key, algorithm), jws.signingInput, jws.signature);
  return isBy ?? verifyJws(jws, key, algorithm);
}

const ways = new WeakMap<KeyObject, Partial<Record<JwsAlgorithm, Way>>>();

/** One and the same for one key and algorithm: a message names each once. */
function wayOf(key: KeyObject, algorithm: JwsAlgorithm): Way {
  const ofKey = ways.get(key) ?? {};
  ways.set(key, ofKey);
  const how: Algorithm = ALGORITHMS[algorithm];
  return (ofKey[algorithm] ??= { digest: how.digest, options: optionsFor(key, how) });
}

function mayBeBy(jws: Jws, key: KeyObject, algorithm: JwsAlgorithm): boolean {
  const { signatureBytes }: Algorithm = ALGORITHMS[algorithm];
  return fits(key, algorithm) && (signatureBytes ?? jws.signature.length) === jws.signature.length;
}

/**
 * Signs `payload` (an object is written as JSON, a string as it is).
 * @throws TypeError if the key is not of the kind that `header.alg` asks for.
 */
export function signJws(
  header: { alg: JwsAlgorithm } & Record<string, unknown>,
  payload: object | string,
  key: KeyObject,
): string {
  if (!fits(key, header.alg)) throw new TypeError('the key does not fit the algorithm');
  const how: Algorithm = ALGORITHMS[header.alg];
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const input = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${Buffer.from(text).toString('base64url')}`;
  const signature = sign(how.digest, Buffer.from(input), optionsFor(key, how));
  return `${input}.${signature.toString('base64url')}`;
}
