/** One task, its parent, two agents and their tokens, all fixed. The keys are printed in RFCs. */
import { createPublicKey } from 'node:crypto';
import { ISSUER_KEY, keyObject, OTHER_KEY, publicOf, token } from '../../identity/test/fixtures.js';
import type { AccessTokenClaims, AccessTokenTrust } from '../src/access-token.js';
import type { PublishedStatusList } from '../src/status-list.js';
import { StatusList } from '../src/status-list.js';
import type { SessionRevoked } from '../src/security-event.js';
import type { TokenKey } from '../src/signed-token.js';

export const NOW_S = Date.parse('2026-11-24T12:00:00.000Z') / 1000;
export const NOW_MS = NOW_S * 1000;
export const ISSUER = 'https://broker.corp.example';
export const ORDERS = 'https://orders.corp.example';
export const LIST_URI = 'https://revoker.corp.example/status/7';
export const TASK = '01936f2e-7c4a-7e11-8a5b-0123456789ab';
export const PARENT = '01936f2e-7c4a-7e11-8a5b-00000000000a';
export const LEASE = '01936f2e-a000-7000-9000-000000000003';
export const PLANNER = 'spiffe://corp.example/agent/planner';
export const EXECUTOR = 'spiffe://corp.example/agent/executor';

export const KID = 'tokens-2026-11';
export const SIGNER: TokenKey = { kid: KID, key: keyObject(ISSUER_KEY) };
export const STRANGER = keyObject(OTHER_KEY);
export const PUBLISHED = createPublicKey({ key: publicOf(ISSUER_KEY), format: 'jwk' });
export const keyOf = (kid: string) => (kid === KID ? PUBLISHED : undefined);

export const CLAIMS: AccessTokenClaims = {
  iss: ISSUER,
  sub: 'user:maria@corp.example',
  aud: ORDERS,
  client_id: EXECUTOR,
  iat: NOW_S,
  exp: NOW_S + 120,
  jti: LEASE,
  cnf: { jkt: 'Gj2-mJGsQ5YRGtUKQjTnlTBrHHTTrT97kKDfGz8_1B8' },
  authorization_details: [
    {
      type: 'mayfly_tool_access',
      locations: [ORDERS],
      tool: 'orders.api',
      dataset: 'orders',
      actions: ['read'],
      task: TASK,
    },
  ],
  act: { sub: EXECUTOR, act: { sub: PLANNER } },
  lineage: [
    { taskId: TASK, generation: 1 },
    { taskId: PARENT, generation: 3 },
  ],
  arguments_sha256: '5d5b09f6dcb2d53a5fffc60c4ac0d55fabdf556069d6631545f42aa6e3500f2e',
  status: { status_list: { idx: 40123, uri: LIST_URI } },
};

export const TRUST: AccessTokenTrust = { keyOf, issuer: ISSUER, audience: ORDERS, nowMs: NOW_MS };

/** Of 64 tokens one is dead and one suspended. */
export function sampleList(): PublishedStatusList {
  const list = StatusList.ofSize(64);
  list.set(5, 'INVALID');
  list.set(42, 'SUSPENDED');
  return { uri: LIST_URI, list, iat: NOW_S, exp: NOW_S + 60, ttl: 5 };
}

export const LEASE_REVOKED: SessionRevoked = {
  iss: 'https://revoker.corp.example',
  aud: 'https://siem.corp.example',
  jti: '01936f2e-b000-7000-9000-000000000004',
  iat: NOW_S,
  txn: '01936f2e-c000-7000-9000-000000000005',
  revoked: { what: 'lease', issuer: ISSUER, leaseId: LEASE },
  eventTimestamp: NOW_S,
  initiatingEntity: 'admin',
  reason: 'operator',
};

export const TASK_REVOKED: SessionRevoked = {
  ...LEASE_REVOKED,
  revoked: { what: 'task', taskId: TASK, generationBelow: 2 },
  initiatingEntity: 'system',
  reason: 'suspended',
};

/** A token as its maker wants it: the header that is right, but for what `header` says, and any payload. */
export const forged = (typ: string, payload: object | string, header: object = {}, key = SIGNER.key) =>
  token({ alg: 'ES256', typ, kid: KID, ...header }, payload, key);

export const parts = (text: string) => text.split('.') as [string, string, string];
export const decoded = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as object;
