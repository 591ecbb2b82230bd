/**
 * Fixed keys that everybody knows, because they are printed in RFCs, and a sender that builds honest and hostile records with them.
 * Tokens are made by hand here, not with the code under test.
 */
import { createHash, createPrivateKey, sign, type KeyObject } from 'node:crypto';
import type { BusRecord } from '#bus/bus.js';
import { parseBundle } from '../src/bundle.js';
import { KeySource } from '../src/key-source.js';
import { TrustDomain } from '../src/trust-domain.js';
import { Trust } from '../src/trust.js';

type PrivateJwk = Record<string, string> & { kty: string; crv: string; x: string };

/** RFC 7517, appendix A.2, first key. */
export const ISSUER_KEY = {
  kty: 'EC',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
  d: '870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE',
} satisfies PrivateJwk;
/** RFC 7515, appendix A.3. */
export const AGENT_KEY = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
} satisfies PrivateJwk;
/** RFC 8037, appendix A.1. */
export const AGENT_ED25519_KEY = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
} satisfies PrivateJwk;
/** RFC 7518, appendix C: Alice. Somebody else's key. */
export const OTHER_KEY = {
  kty: 'EC',
  crv: 'P-256',
  x: 'gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0',
  y: 'SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps',
  d: '0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo',
} satisfies PrivateJwk;

export const APPENDED_AT_MS = Date.parse('2026-11-24T12:00:00.000Z');
export const NOW_S = APPENDED_AT_MS / 1000;
export const TOPIC = 'mayfly.task.events.v1';
export const TASK_ID = '01936f2e-7c4a-7e11-8a5b-0123456789ab';
export const OTHER_TASK_ID = '01936f2e-7c4a-7e11-8a5b-ba9876543210';
export const CE_ID = '01936f2e-8000-7000-9000-000000000001';
export const AGENT = 'spiffe://corp.example/agent/analyst';
export const KID = 'issuer-2026';

export const publicOf = ({ d: _private, ...jwk }: PrivateJwk) => jwk;

export function thumbprintOf(jwk: Record<string, string>): string {
  const members = Object.entries(jwk).filter(([name]) => ['crv', 'kty', 'x', 'y', 'e', 'n'].includes(name));
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(members)))
    .digest('base64url');
}

const encode = (part: object | string) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
const hex = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');
export const keyObject = (jwk: PrivateJwk): KeyObject => createPrivateKey({ key: jwk, format: 'jwk' });

/** A compact JWS as its maker wants it, sense or nonsense. */
export function token(header: object, payload: object | string, key: KeyObject): string {
  const input = `${encode(header)}.${encode(payload)}`;
  const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  return `${input}.${sign(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

export const TOOL_CALLED = {
  taskId: TASK_ID,
  callId: '01936f2e-9000-7000-9000-000000000002',
  tool: 'sql.query',
  dataset: 'crm.orders',
  action: 'read',
  sealTo: publicOf(OTHER_KEY),
};

export interface Sending {
  type?: string;
  data?: unknown;
  value?: Buffer | null;
  key?: Buffer | null;
  agentKey?: PrivateJwk;
  issuerKey?: PrivateJwk;
  topic?: string;
  appendedAtMs?: number;
  svidHeader?: object;
  svidClaims?: object;
  svid?: string;
  proofHeader?: object;
  proofClaims?: object;
  proofKey?: PrivateJwk;
  headers?: BusRecord['headers'];
}

/** An honest record, but for what `sending` says. */
export function send(sending: Sending = {}): BusRecord {
  const agentKey = sending.agentKey ?? AGENT_KEY;
  const type = sending.type ?? 'dev.mayfly.tool.called.v1';
  const topic = sending.topic ?? TOPIC;
  const value =
    sending.value === undefined ? Buffer.from(JSON.stringify(sending.data ?? TOOL_CALLED)) : sending.value;
  const svid =
    sending.svid ??
    token(
      { alg: 'ES256', kid: KID, typ: 'JWT', ...sending.svidHeader },
      {
        sub: AGENT,
        aud: [`mayfly:jkt:${thumbprintOf(publicOf(agentKey))}`],
        iat: NOW_S - 60,
        exp: NOW_S + 240,
        ...sending.svidClaims,
      },
      keyObject(sending.issuerKey ?? ISSUER_KEY),
    );
  const proof = token(
    {
      alg: agentKey.kty === 'OKP' ? 'Ed25519' : 'ES256',
      typ: 'mayfly-proof+jwt',
      jwk: publicOf(agentKey),
      ...sending.proofHeader,
    },
    {
      topic,
      key: TASK_ID,
      ce_id: CE_ID,
      ce_type: type,
      value_sha256: hex(value ?? ''),
      svid_sha256: hex(svid),
      iat: NOW_S,
      ...sending.proofClaims,
    },
    keyObject(sending.proofKey ?? agentKey),
  );
  return {
    topic,
    partition: 0,
    offset: 7n,
    appendedAtMs: sending.appendedAtMs ?? APPENDED_AT_MS,
    key: sending.key === undefined ? Buffer.from(TASK_ID) : sending.key,
    value,
    headers: {
      ce_specversion: '1.0',
      ce_id: Buffer.from(CE_ID),
      ce_source: Buffer.from(AGENT),
      ce_type: Buffer.from(type),
      ce_subject: Buffer.from(TASK_ID),
      ce_time: Buffer.from('2026-11-24T11:59:59.900Z'),
      'content-type': Buffer.from('application/json'),
      'mayfly-svid': Buffer.from(svid),
      'mayfly-proof': Buffer.from(proof),
      ...sending.headers,
    },
  };
}

export const bundleOf = (...keys: object[]) =>
  Buffer.from(JSON.stringify({ keys, spiffe_sequence: 1, spiffe_refresh_hint: 300 }));

export const ISSUER_JWK = { ...publicOf(ISSUER_KEY), kid: KID, use: 'jwt-svid' };

/** Trust in `corp.example`, whose bundle holds the issuer's key. */
export function corpTrust(...keys: object[]): Trust {
  const bundle = parseBundle(bundleOf(...(keys.length === 0 ? [ISSUER_JWK] : keys)), 'bundle.json');
  return trustIn(new TrustDomain('corp.example', 'mayfly', false, bundle));
}

/** Trust in domains that are never read again. */
export const trustIn = (...domains: TrustDomain[]): Trust =>
  new Trust(domains.map((domain) => ({ source: sourceOf(domain) })));

export const sourceOf = (domain: TrustDomain) =>
  new KeySource(
    {
      domain,
      at: { kind: 'file', location: 'bundle.json' },
      parse: parseBundle,
      read: () => Promise.reject(new Error('nothing is read again')),
      maxStaleMs: 86_400_000,
    },
    APPENDED_AT_MS,
  );
