import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTrust } from '../trust.js';
import { verifySignIn } from '../sign-in.js';
import { DEVELOPMENT_LOGIN, ensureDevelopmentLogin, mintLogin } from './development-login.js';

const NOW_MS = Date.parse('2026-11-24T12:00:00.000Z');
const OLGA = 'user:olga@corp.example';
const env = { MAYFLY_ENV: 'development' };
let stateDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'mayfly-login-'));
});
afterEach(() => rm(stateDir, { recursive: true }));

const issuer = (jwks: string) => ({
  ...{ type: 'oidc' as const, issuer: DEVELOPMENT_LOGIN, audience: 'mayfly', development: true, jwks },
  persons: { claim: 'email', domain: 'corp.example' },
});

it('signs people in, with a key that nobody else can read', async () => {
  const { jwksFile, keyFile } = await ensureDevelopmentLogin(stateDir, env);
  const token = await mintLogin({ stateDir, person: OLGA, ttlS: 300, nowMs: NOW_MS, env });
  const trust = await loadTrust([issuer(jwksFile)], 'development');

  expect(verifySignIn(token, trust, NOW_MS)).toEqual({ ok: true, id: OLGA });
  expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
});

it('is believed in development alone', async () => {
  const { jwksFile } = await ensureDevelopmentLogin(stateDir, env);
  await expect(loadTrust([issuer(jwksFile)], 'production')).rejects.toMatchObject({
    code: 'ERR_IDENTITY_DEVELOPMENT_ONLY',
  });
});

it('never signs people in with the audience of tokens that travel on a topic', async () => {
  const { jwksFile } = await ensureDevelopmentLogin(stateDir, env);
  const { persons, ...rest } = issuer(jwksFile);
  await expect(
    loadTrust([{ ...rest, persons: { ...persons, signInAudience: 'mayfly' } }], 'development'),
  ).rejects.toMatchObject({ code: 'ERR_IDENTITY_ISSUER_INVALID' });
});

it.each([
  ['for what is no person', { person: 'spiffe://dev.mayfly/agent/analyst' }],
  ['for more than 5 minutes', { ttlS: 301 }],
  ['for no time at all', { ttlS: 0 }],
])('mints nothing %s', async (_what, request) => {
  await ensureDevelopmentLogin(stateDir, env);
  await expect(mintLogin({ stateDir, person: OLGA, ttlS: 300, env, ...request })).rejects.toMatchObject({
    code: 'ERR_IDENTITY_LOGIN_REFUSED',
  });
});

it('makes nothing and mints nothing outside development', async () => {
  const refused = { code: 'ERR_IDENTITY_DEVELOPMENT_ONLY' };
  await expect(ensureDevelopmentLogin(stateDir, {})).rejects.toMatchObject(refused);
  await expect(mintLogin({ stateDir, person: OLGA, ttlS: 300, env: {} })).rejects.toMatchObject(refused);
  expect(await readdir(stateDir)).toEqual([]);
});
