import { describe, expect, it } from '@jest/globals';
import { jwtVerify } from 'jose';
import {
  CLAIMS as ACCESS,
  decoded,
  forged,
  KID,
  keyOf,
  LEASE_REVOKED,
  NOW_MS,
  NOW_S,
  parts,
  PUBLISHED,
  SIGNER,
  STRANGER,
  TASK_REVOKED,
} from '../test/samples.js';
import {
  SESSION_REVOKED,
  signSessionRevoked,
  verifySessionRevoked,
  type SessionRevoked,
} from './security-event.js';

const TRUST = { keyOf, issuer: LEASE_REVOKED.iss, audience: LEASE_REVOKED.aud, nowMs: NOW_MS };
const claimsOf = (event: SessionRevoked) => decoded(parts(signSessionRevoked(event, SIGNER))[1]);
const CLAIMS = claimsOf(LEASE_REVOKED) as { sub_id: object; events: Record<string, object> };
const OF_TASK = claimsOf(TASK_REVOKED) as typeof CLAIMS;
const withClaims = (claims: object, base: object = CLAIMS) => forged('secevent+jwt', { ...base, ...claims });
const told = (changes: object) => ({
  events: { [SESSION_REVOKED]: { ...CLAIMS.events[SESSION_REVOKED], ...changes } },
});
const refusalOf = (token: string, trust: Partial<typeof TRUST> = {}) => {
  const result = verifySessionRevoked(token, { ...TRUST, ...trust });
  return result.ok ? undefined : result.refusal.code;
};

describe('the event that something was revoked', () => {
  const ended: SessionRevoked = {
    ...TASK_REVOKED,
    revoked: { ...TASK_REVOKED.revoked, generationBelow: null } as never,
  };
  it.each([
    ['a lease', LEASE_REVOKED],
    ['what a task had before its suspension', TASK_REVOKED],
    ['a task', ended],
  ])('tells of %s', (_what, event) => {
    expect(verifySessionRevoked(signSessionRevoked(event, SIGNER), TRUST)).toEqual({ ok: true, event });
  });

  it('verifies with jose, as RFC 8417 and SSF 1.0 want it', async () => {
    const { payload, protectedHeader } = await jwtVerify(
      signSessionRevoked(LEASE_REVOKED, SIGNER),
      PUBLISHED,
      {
        algorithms: ['ES256'],
        typ: 'secevent+jwt',
        issuer: LEASE_REVOKED.iss,
        audience: LEASE_REVOKED.aud,
        requiredClaims: ['iss', 'aud', 'jti', 'iat', 'txn', 'sub_id', 'events'],
        currentDate: new Date(NOW_MS),
      },
    );
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'secevent+jwt', kid: KID });
    expect(payload).not.toHaveProperty('sub');
    expect(payload).not.toHaveProperty('exp');
    expect(payload.sub_id).toEqual({ format: 'jwt_id', iss: ACCESS.iss, jti: ACCESS.jti });
    expect(Object.keys(payload.events as object)).toEqual([
      'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
    ]);
  });

  it('names a token as the token names itself', () => {
    expect(CLAIMS.sub_id).toEqual({ format: 'jwt_id', iss: ACCESS.iss, jti: ACCESS.jti });
    expect(OF_TASK.sub_id).toEqual({
      format: 'complex',
      session: { format: 'opaque', id: ACCESS.lineage[0]?.taskId },
    });
  });

  it('does not grow old, but is not read before its time', () => {
    const token = signSessionRevoked(LEASE_REVOKED, SIGNER);
    expect(refusalOf(token, { nowMs: NOW_MS + 30 * 86_400_000 })).toBeUndefined();
    expect(refusalOf(token, { nowMs: NOW_MS - 2001 })).toBe('ERR_TOKEN_EARLY');
  });
});

describe('an event that is refused:', () => {
  it.each([
    ['an access token', 'ERR_TOKEN_TYP', forged('at+jwt', CLAIMS)],
    ['by a stranger', 'ERR_TOKEN_SIGNATURE', forged('secevent+jwt', CLAIMS, {}, STRANGER)],
    ['by a key we do not know', 'ERR_TOKEN_KEY_UNKNOWN', forged('secevent+jwt', CLAIMS, { kid: 'x' })],
    ['of another stream', 'ERR_TOKEN_ISSUER', withClaims({ iss: 'https://evil.example' })],
    ['without an issuer', 'ERR_TOKEN_ISSUER', withClaims({ iss: undefined })],
    ['for another receiver', 'ERR_TOKEN_AUDIENCE', withClaims({ aud: 'https://other.example' })],
    [
      'for two receivers',
      'ERR_TOKEN_AUDIENCE',
      withClaims({ aud: [LEASE_REVOKED.aud, 'https://other.example'] }),
    ],
    ...[
      ['with sub', withClaims({ sub: 'user:maria@corp.example' })],
      ['with exp', withClaims({ exp: NOW_S + 60 })],
      ['without jti', withClaims({ jti: undefined })],
      ['without txn', withClaims({ txn: undefined })],
      ['without iat', withClaims({ iat: undefined })],
      ['without events', withClaims({ events: undefined })],
      ['without an event', withClaims({ events: {} })],
      ['of two types', withClaims({ events: { ...CLAIMS.events, 'https://evil.example/type': {} } })],
      [
        'of another type',
        withClaims({ events: { 'https://evil.example/type': CLAIMS.events[SESSION_REVOKED] } }),
      ],
      ['with a condition we do not know', withClaims(told({ only_if: 'x' }))],
      ['without its time', withClaims(told({ event_timestamp: undefined }))],
      ['by nobody known', withClaims(told({ initiating_entity: 'agent' }))],
      ['without a reason', withClaims(told({ reason_admin: undefined }))],
      ['without a subject', withClaims({ sub_id: undefined })],
      ['about a person', withClaims({ sub_id: { format: 'email', email: 'maria@corp.example' } })],
      [
        'about two things',
        withClaims({ sub_id: { ...CLAIMS.sub_id, session: { format: 'opaque', id: 'x' } } }),
      ],
      ['about a lease of some generation', withClaims(told({ mayfly_generation_below: 2 }))],
      [
        'about a task below generation 0',
        withClaims({ ...told({ mayfly_generation_below: 0 }), sub_id: OF_TASK.sub_id }),
      ],
      [
        'about a session and a device',
        withClaims({ sub_id: { ...OF_TASK.sub_id, device: { format: 'opaque', id: 'x' } } }, OF_TASK),
      ],
    ].map(([what, token]) => [what, 'ERR_SECURITY_EVENT_INVALID', token]),
    [
      'a member twice',
      'ERR_TOKEN_MALFORMED',
      forged('secevent+jwt', JSON.stringify(CLAIMS).replace('"jti":', '"jti":"x","jti":')),
    ],
    ['over 8,192 characters', 'ERR_TOKEN_TOO_LARGE', withClaims({ more: 'x'.repeat(8000) })],
  ] as [string, string, string][])('%s', (_what, code, token) => {
    expect(refusalOf(token)).toBe(code);
  });
});
