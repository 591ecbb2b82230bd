import { describe, expect, it } from '@jest/globals';
import { mapSubjects, type SubjectRule } from './subject-rules.js';
import { loadTrust } from './trust.js';

const ID = 'spiffe://corp.example/agent/analyst';
const refused = expect.objectContaining({ code: 'ERR_IDENTITY_ISSUER_INVALID' }) as unknown;

it.each<[string, SubjectRule]>([
  ['gives no SPIFFE id', { id: 'analyst', claims: { sub: 'a' } }],
  ['has no kind', { id: ID }],
  ['has two kinds', { id: ID, claims: { sub: 'a' }, kubernetes: { namespace: 'n', serviceAccountUid: 'u' } }],
  ['anybody would match', { id: ID, claims: {} }],
])('a rule that %s is refused', (_what, rule) => {
  expect(() => mapSubjects([rule])).toThrow(refused);
});

it('a claim of every object is no claim', () => {
  expect(mapSubjects([{ id: ID, claims: { constructor: 'Object' } }])({})).toBeUndefined();
});

describe('an OIDC issuer is refused', () => {
  const ISSUER = {
    type: 'oidc',
    issuer: 'https://login.corp.example',
    jwks: 'https://login.corp.example/jwks',
    audience: 'mayfly',
    subjects: [{ id: ID, claims: { sub: 'a' } }],
  } as const;
  const read = () => Promise.resolve(Buffer.from('{"keys":[]}'));

  it('never as it is', async () => {
    const trust = await loadTrust([ISSUER], 'production', { read });
    expect(trust.domains).toEqual([{ name: ISSUER.issuer, development: false }]);
    expect([trust.domain(ISSUER.issuer), trust.oidc(ISSUER.issuer)?.domain.name]).toEqual([
      undefined,
      ISSUER.issuer,
    ]);
  });

  it.each([
    ['in clear', { issuer: 'http://login.corp.example' }],
    ['whose keys come in clear', { jwks: 'http://login.corp.example/jwks' }],
    ['with a Workload API', { jwks: 'unix:///run/agent.sock' }],
    ['with the audience that GitHub gives unasked', { audience: 'https://github.com/octo' }],
    ['that names nobody', { subjects: [] }],
  ])('%s', async (_what, changed) => {
    await expect(loadTrust([{ ...ISSUER, ...changed }], 'production', { read })).rejects.toMatchObject({
      code: 'ERR_IDENTITY_ISSUER_INVALID',
    });
  });

  it('that is given twice', async () => {
    await expect(loadTrust([ISSUER, ISSUER], 'production', { read })).rejects.toMatchObject({
      code: 'ERR_IDENTITY_ISSUER_INVALID',
    });
  });
});
