/**
 * Records of broker, revoker and auditor: each is signed by the service that wrote it (`mayfly-sig`) and carries its
 * store's counter (`mayfly-store`). The signature is a compact JWS, ES256, `typ: mayfly-record+jwt`, over the JCS (RFC 8785) of
 * `{topic, key, ce: {id, source, subject, time, type}, value_sha256, store}`.
 */
import type { KeyObject } from 'node:crypto';
import type { BusRecord } from '#bus/bus.js';
import {
  HEAD_REQUIRED,
  HEADERS,
  headOf,
  readHeaders,
  writeHeaders,
  type EventHead,
} from '#events/envelope.js';
import { canonical } from '#events/jcs.js';
import { serviceSource, type ServiceName } from '#events/services.js';
import { sha256Hex } from './bytes.js';
import { algorithmOf, readJws, signJws, verifyJws, verifyJwsElsewhere, type Jws } from './jws.js';
import type { EcPublicJwk } from './jwk.js';
import type { PeerKeys } from './peer-keys.js';
import { refuse, type Checked } from './refuse.js';
import { readSigningKey } from './signing-key.js';

export { loadPeerKeys, type PeerKeys } from './peer-keys.js';

const TYP = 'mayfly-record+jwt';
/** What Kafka carries by default; our own records repeat a declaration and add to it. */
const MAX_VALUE_BYTES = 1_048_576;
const STORE = /^([A-Za-z0-9_-]{1,64})\.(0|[1-9][0-9]{0,18})$/;

/** A record about to be signed. `value: null` is a tombstone, signed as the empty value. */
export interface RecordToSign {
  topic: string;
  key: string;
  head: EventHead;
  value: Buffer | null;
}

function signedText({ topic, key, head, value }: RecordToSign, store: string): string {
  const { id, source, subject, time, type } = head;
  return canonical({
    topic,
    key,
    ce: { id, source, subject, time, type },
    value_sha256: sha256Hex(value ?? ''),
    store,
  });
}

/** One service's signing key. */
export class RecordSigner {
  readonly #key: KeyObject;
  readonly #kid: string;

  private constructor(
    readonly service: ServiceName,
    key: KeyObject,
    jwk: EcPublicJwk,
    kid: string,
  ) {
    this.#key = key;
    this.#kid = kid;
    this.jwks = { keys: [{ ...jwk, kid, use: 'sig', alg: 'ES256' }] };
  }

  /** The public half, for `GET /.well-known/jwks.json`. */
  readonly jwks: { keys: (EcPublicJwk & { kid: string; use: 'sig'; alg: 'ES256' })[] };

  /**
   * @param path a file with a private JWK, EC P-256.
   * @throws IdentityError ERR_IDENTITY_FILE_UNREADABLE, ERR_IDENTITY_KEY_INVALID
   */
  static async fromFile(path: string, service: ServiceName): Promise<RecordSigner> {
    const { key, jwk, kid } = await readSigningKey(path);
    return new RecordSigner(service, key, jwk, kid);
  }

  /**
   * All headers of the record: `ce_*`, `content-type`, `mayfly-store`, `mayfly-sig`.
   * @param store `epoch.n`: which life of the database this is, and the how-manieth record of it.
   * @throws TypeError if the head names another source than this service, or the store is malformed: a consumer would refuse it.
   */
  sign(record: RecordToSign, store: string): Record<string, string> {
    if (record.head.source !== serviceSource(this.service))
      throw new TypeError('the source is another service');
    if (!STORE.test(store)) throw new TypeError('the store is not `epoch.n`');
    return {
      ...writeHeaders(record.head),
      [HEADERS.store]: store,
      [HEADERS.signature]: signJws(
        { alg: 'ES256', kid: this.#kid, typ: TYP },
        signedText(record, store),
        this.#key,
      ),
    };
  }
}

export interface VerifiedRecord {
  service: ServiceName;
  head: EventHead;
  store: { epoch: string; n: bigint };
}

/**
 * Who of us wrote this record. Once it is `ok`, topic, key, value and every attribute but `content-type` and `traceparent` are
 * as the service signed them. A record sent twice verifies twice: order and repetition are for the consumer, by `store` and `ce_id`.
 */
export function verifyRecord(record: BusRecord, peers: PeerKeys): Checked<VerifiedRecord> {
  const claim = readClaim(record, peers);
  return claim.ok ? proven(claim, verifyJws(claim.jws, claim.key, 'ES256')) : claim;
}

/** As {@link verifyRecord}, with the signature checked by another thread. */
export async function verifyRecordElsewhere(
  record: BusRecord,
  peers: PeerKeys,
): Promise<Checked<VerifiedRecord>> {
  const claim = readClaim(record, peers);
  return claim.ok ? proven(claim, await verifyJwsElsewhere(claim.jws, claim.key, 'ES256')) : claim;
}

/** What a record says of its writer, where its signature is all that is left to check. */
interface Claim {
  jws: Jws;
  key: KeyObject;
  claimed: VerifiedRecord;
}

const proven = ({ claimed }: Claim, isSigned: boolean): Checked<VerifiedRecord> =>
  isSigned
    ? { ok: true, ...claimed }
    : refuse('ERR_RECORD_FORGED', 'the signature does not verify', { service: claimed.service });

function readClaim(record: BusRecord, peers: PeerKeys): Checked<Claim> {
  if (record.value !== null && record.value.length > MAX_VALUE_BYTES)
    return refuse('ERR_RECORD_TOO_LARGE', 'the value is too large', { bytes: record.value.length });
  const read = readHeaders(record.headers, HEAD_REQUIRED, [
    HEADERS.store,
    HEADERS.signature,
    HEADERS.traceparent,
  ]);
  if (!read.ok) return read;
  const { [HEADERS.store]: store, [HEADERS.signature]: signature } = read.values;
  if (!store || !signature) return refuse('ERR_RECORD_UNSIGNED', 'the record carries no signature of ours');
  const headed = headOf(read.values);
  if (!headed.ok) return headed;

  const counter = STORE.exec(store);
  if (counter?.[1] === undefined || counter[2] === undefined)
    return refuse('ERR_RECORD_FORGED', 'the store counter is malformed');
  const jws = readJws(signature);
  if (jws === undefined || jws.header.typ !== TYP || algorithmOf(jws, ['ES256']) === undefined)
    return refuse('ERR_RECORD_FORGED', 'the signature is not one of our records');
  const peer = typeof jws.header.kid === 'string' ? peers.get(jws.header.kid) : undefined;
  if (peer === undefined) return refuse('ERR_RECORD_FORGED', 'the key is not of a service of ours');
  if (headed.head.source !== serviceSource(peer.service))
    return refuse('ERR_RECORD_FORGED', 'the source is another service than the key', {
      service: peer.service,
    });
  const signed = signedTextOf(record, headed.head, store);
  if (signed === undefined || !jws.payload.equals(Buffer.from(signed)))
    return refuse('ERR_RECORD_FORGED', 'the signature is of another record', { service: peer.service });
  const { service, key } = peer;
  const claimed = { service, head: headed.head, store: { epoch: counter[1], n: BigInt(counter[2]) } };
  return { ok: true, jws, key, claimed };
}

function signedTextOf(record: BusRecord, head: EventHead, store: string): string | undefined {
  const key = (record.key ?? Buffer.alloc(0)).toString('utf8');
  // A key that is no UTF-8 would decode to the same text as another one.
  if (!Buffer.from(key).equals(record.key ?? Buffer.alloc(0))) return undefined;
  return signedText({ topic: record.topic, key, head, value: record.value }, store);
}
