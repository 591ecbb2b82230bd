/**
 * Credentials sealed to the agent: a compact JWE (RFC 7516), `ECDH-ES` direct with `A256GCM`, by `node:crypto`. The protected
 * header, which the cipher authenticates, names the lease, so an envelope cannot be passed off as another one's.
 */
import {
  createCipheriv,
  createECDH,
  createPublicKey,
  diffieHellman,
  ECDH,
  hash,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import type { SealKey } from '#events/inbound.js';
import { IdentityError } from './errors.js';
import { decodeBase64url } from './bytes.js';
import { thumbprint, type EcPublicJwk, type OkpPublicJwk } from './jwk.js';
import { newX25519Key } from './new-key.js';

export const SEAL_TYP = 'mayfly-credential+jwe';
const ENC = 'A256GCM';
/** OpenSSL's name of it. */
const P256 = 'prime256v1';

/** RFC 7638 thumbprint of the key a credential is sealed to, base64url: the envelope's `kid`. A `kid` inside the key is ignored. */
export const sealKeyThumbprint = (sealTo: SealKey) => thumbprint(sealTo);

/**
 * True for a point of its curve with 32-byte coordinates that gives a secret. P-256 has no other kind, so nothing is agreed to
 * see it; X25519 has a few that give none (RFC 7748 §6.1).
 */
export function validSealKey(sealTo: SealKey): boolean {
  if (sealTo.kty === 'OKP') return givesSecret(sealTo.x);
  const [x, y] = [decodeBase64url(sealTo.x), decodeBase64url(sealTo.y)];
  return x?.length === 32 && y?.length === 32 && isOnP256(pointOf(x, y));
}

const trial = newX25519Key();

/** What gives no secret with one key gives none with any. */
function givesSecret(x: string): boolean {
  if (decodeBase64url(x)?.length !== 32) return false;
  try {
    secretOf(trial.privateKey, x);
    return true;
  } catch {
    return false;
  }
}

/** P-256 has a cofactor of 1: whatever is on the curve is in its group. */
function isOnP256(point: Buffer): boolean {
  try {
    ECDH.convertKey(point, P256);
    return true;
  } catch {
    return false;
  }
}

/** Uncompressed (SEC 1 §2.3.3). */
const pointOf = (x: Buffer, y: Buffer) => Buffer.concat([Buffer.of(0x04), x, y]);

export interface CredentialToSeal {
  sealTo: SealKey;
  /** Written as JSON. */
  plaintext: object;
  /** Who may open it for what: `topic` is where the envelope travels. */
  lease: { leaseId: string; taskId: string; callId: string; agent: string; topic: string };
}

/**
 * @returns compact JWE with protected header `{alg, enc, typ, kid, epk, leaseId, taskId, callId, agent, topic}`.
 * @throws IdentityError ERR_IDENTITY_SEAL_KEY_INVALID: ask `validSealKey` first.
 */
export function sealCredential({ sealTo, plaintext, lease }: CredentialToSeal): string {
  const agreed = agree(sealTo);
  if (agreed === undefined)
    throw new IdentityError('ERR_IDENTITY_SEAL_KEY_INVALID', 'a credential cannot be sealed to this key');
  const { leaseId, taskId, callId, agent, topic } = lease;
  const header = Buffer.from(
    JSON.stringify({
      alg: 'ECDH-ES',
      enc: ENC,
      typ: SEAL_TYP,
      kid: sealKeyThumbprint(sealTo),
      epk: agreed.epk,
      leaseId,
      taskId,
      callId,
      // Ids of calls and seal keys are public: another agent of the task could use both for a call of its own.
      agent,
      topic,
    }),
  ).toString('base64url');
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', concatKdf(agreed.secret), iv);
  cipher.setAAD(Buffer.from(header, 'latin1'));
  const sealed = Buffer.concat([cipher.update(JSON.stringify(plaintext), 'utf8'), cipher.final()]);
  // The second part is the encrypted key: there is none where the agreed key is used directly (RFC 7518 §4.6).
  return [header, '', ...[iv, sealed, cipher.getAuthTag()].map((part) => part.toString('base64url'))].join(
    '.',
  );
}

interface Agreement {
  secret: Buffer;
  /** Our ephemeral public key. */
  epk: EcPublicJwk | OkpPublicJwk;
}

/** ECDH with a fresh ephemeral key; undefined if the other's key is none. */
function agree(sealTo: SealKey): Agreement | undefined {
  const x = decodeBase64url(sealTo.x);
  if (x?.length !== 32) return undefined;
  try {
    if (sealTo.kty === 'OKP') return agreeX25519(sealTo.x);
    const y = decodeBase64url(sealTo.y);
    return y?.length === 32 ? agreeP256(x, y) : undefined;
  } catch {
    // OpenSSL throws for a point off the curve and for a secret of zeros: both are the sender's doing.
    return undefined;
  }
}

function agreeP256(x: Buffer, y: Buffer): Agreement {
  const ours = createECDH(P256);
  const point = ours.generateKeys();
  const secret = ours.computeSecret(pointOf(x, y));
  const text = (from: number) => point.subarray(from, from + 32).toString('base64url');
  return { secret, epk: { kty: 'EC', crv: 'P-256', x: text(1), y: text(33) } };
}

function agreeX25519(x: string): Agreement {
  const { privateKey, publicJwk } = newX25519Key();
  return { secret: secretOf(privateKey, x), epk: publicJwk };
}

const secretOf = (privateKey: KeyObject, x: string) =>
  diffieHellman({
    privateKey,
    publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' }),
  });

/** Concat KDF (RFC 7518 §4.6.2) for one 256-bit key, without `apu` and `apv`: a single round of SHA-256. */
export function concatKdf(secret: Buffer): Buffer {
  const uint32 = (n: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(n);
    return bytes;
  };
  const algorithmId = Buffer.concat([uint32(ENC.length), Buffer.from(ENC)]);
  const noPartyInfo = uint32(0);
  const round = Buffer.concat([uint32(1), secret, algorithmId, noPartyInfo, noPartyInfo, uint32(256)]);
  return hash('sha256', round, 'buffer');
}
