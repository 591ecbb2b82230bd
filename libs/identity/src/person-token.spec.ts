import { describe, expect, it } from '@jest/globals';
import type { RefusalCode } from '#events/refusal.js';
import {
  AGENT,
  AGENT_KEY,
  NOW_S,
  OTHER_KEY,
  TASK_ID,
  TOOL_CALLED,
  publicOf,
  send,
  thumbprintOf,
  type Sending,
} from '../test/fixtures.js';
import { BOUND, GITHUB, KUBERNETES, MARIA, oidc, oidcTrust } from '../test/oidc-fixtures.js';
import { admit } from './admit.js';

const STARTED = {
  taskId: TASK_ID,
  purpose: 'Reconcile October invoices',
  objectiveSha256: 'a'.repeat(64),
  principal: { id: 'user:maria@corp.example', kind: 'human' },
  agents: [{ id: AGENT }],
  declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
  deadline: '2026-11-24T13:00:00.000Z',
  risk: 'low',
};
const svid = oidc(KUBERNETES);
const declared = (personToken: string | undefined, sending: Sending = {}) =>
  admit(
    send({
      type: 'dev.mayfly.task.started.v1',
      data: STARTED,
      svid,
      ...sending,
      headers: { 'mayfly-subject': personToken, ...sending.headers },
    }),
    oidcTrust(),
  );
const maria = (claims: object = {}, header: object = {}) => oidc({ ...MARIA, ...claims }, header);

describe('a principal', () => {
  it.each([
    ['for us', {}],
    ['bound to the key of the sender', { aud: [BOUND] }],
  ])('is proved by their own token %s', (_what, claims) => {
    expect(declared(maria(claims))).toMatchObject({
      ok: true,
      admitted: {
        sender: AGENT,
        principalProof: { issuer: MARIA.iss, subject: 'user:maria@corp.example' },
      },
    });
  });

  it('without a token is asserted', () => {
    const admission = declared(undefined);
    expect(admission.ok && Object.hasOwn(admission.admitted, 'principalProof')).toBe(false);
    expect(admission.ok).toBe(true);
  });

  it('is not asked for in other events: the header is not read', () => {
    expect(
      admit(send({ svid, data: TOOL_CALLED, headers: { 'mayfly-subject': 'a.b.c' } }), oidcTrust()).ok,
    ).toBe(true);
  });
});

const OTHERS = `mayfly:jkt:${thumbprintOf(publicOf(OTHER_KEY))}`;
const hostile: [what: string, token: string, code: RefusalCode][] = [
  ['that is no token', 'a.b.c', 'ERR_PRINCIPAL_INVALID'],
  ['of somebody else', maria({ email: 'mallory@corp.example' }), 'ERR_PRINCIPAL_MISMATCH'],
  ['of another domain', maria({ email: 'maria@evil.example' }), 'ERR_PRINCIPAL_INVALID'],
  ['of a domain that ends the same', maria({ email: 'maria@evilcorp.example' }), 'ERR_PRINCIPAL_INVALID'],
  ['with two addresses', maria({ email: 'x@evil.example,maria@corp.example' }), 'ERR_PRINCIPAL_INVALID'],
  ['in capitals', maria({ email: 'Maria@corp.example' }), 'ERR_PRINCIPAL_INVALID'],
  ['whose address nobody has verified', maria({ email_verified: false }), 'ERR_PRINCIPAL_INVALID'],
  ['whose address is verified in words', maria({ email_verified: 'true' }), 'ERR_PRINCIPAL_INVALID'],
  ['without an address', maria({ email: undefined }), 'ERR_PRINCIPAL_INVALID'],
  ['for somebody else', maria({ aud: 'payments' }), 'ERR_PRINCIPAL_INVALID'],
  ['for somebody else too', maria({ aud: ['mayfly', 'payments'] }), 'ERR_PRINCIPAL_INVALID'],
  ['bound to another key', maria({ aud: OTHERS }), 'ERR_PRINCIPAL_INVALID'],
  ['that had expired', maria({ exp: NOW_S - 3 }), 'ERR_PRINCIPAL_INVALID'],
  ['for later', maria({ iat: NOW_S + 3 }), 'ERR_PRINCIPAL_INVALID'],
  ['that is an access token', maria({}, { typ: 'at+jwt' }), 'ERR_PRINCIPAL_INVALID'],
  ['by another key', oidc(MARIA, {}, OTHER_KEY), 'ERR_PRINCIPAL_INVALID'],
  ['by the sender itself', oidc(MARIA, {}, AGENT_KEY), 'ERR_PRINCIPAL_INVALID'],
  [
    'of an issuer that names no persons',
    oidc({ ...GITHUB, aud: 'mayfly', email: MARIA.email }),
    'ERR_PRINCIPAL_INVALID',
  ],
  ['of an issuer nobody trusts', maria({ iss: 'https://evil.example' }), 'ERR_PRINCIPAL_INVALID'],
];

it.each(hostile)(
  'a principal with a token %s is refused, and not taken as asserted',
  (_what, token, code) => {
    expect(declared(token)).toMatchObject({ ok: false, refusal: { code }, sender: AGENT });
  },
);

it('a refusal says how the proof failed, and shows nothing of it', () => {
  const admission = declared(maria({ email_verified: false }));
  expect(admission).toMatchObject({ refusal: { fields: { cause: 'ERR_SUBJECT_UNMAPPED' } } });
  expect(JSON.stringify(admission)).not.toMatch(/eyJ|maria@/);
});

it('whoever is refused as a sender is refused before a person is looked at', () => {
  const admission = declared(maria(), { proofKey: OTHER_KEY });
  expect(admission).toMatchObject({ ok: false, refusal: { code: 'ERR_PROOF_INVALID' } });
  expect(admission).not.toHaveProperty('sender');
});
