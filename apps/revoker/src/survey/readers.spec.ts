import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import type { OperatorEntry } from '#events/catalogue.js';
import {
  developmentLoginFiles,
  ensureDevelopmentLogin,
  mintLogin,
} from '#identity/development/development-login.js';
import { developmentTrustFiles, ensureDevelopmentTrust } from '#identity/development/development-trust.js';
import { mintSvid } from '#identity/development/mint-svid.js';
import { loadTrust, type Trust } from '#identity/trust.js';
import { admitReader } from './readers.js';

const env = { MAYFLY_ENV: 'development' };
const entry = (id: string, ...roles: OperatorEntry['roles']): [string, OperatorEntry] => [id, { id, roles }];
const NADIA = 'user:nadia@corp.example';
const SERVICE = 'spiffe://dev.mayfly/operator/dev';
const operators = new Map([
  entry(NADIA, 'operator'),
  entry('user:olga@corp.example', 'approver'),
  entry(SERVICE, 'auditor'),
]);

let stateDir: string;
let trust: Trust;
beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'mayfly-readers-'));
  await ensureDevelopmentTrust(stateDir, 'dev.mayfly', env);
  await ensureDevelopmentLogin(stateDir, env);
  const { bundleFile: bundle } = developmentTrustFiles(stateDir);
  const { jwksFile: jwks } = developmentLoginFiles(stateDir);
  const spiffe = { type: 'spiffe' as const, trustDomain: 'dev.mayfly', bundle, audience: 'mayfly' };
  const oidc = {
    ...{ type: 'oidc' as const, issuer: 'https://login.dev.mayfly', jwks, audience: 'mayfly' },
    persons: { claim: 'email', domain: 'corp.example' },
  };
  trust = await loadTrust(
    [
      { ...spiffe, development: true },
      { ...oidc, development: true },
    ],
    'development',
  );
});
afterAll(() => rm(stateDir, { recursive: true }));

const admit = (authorization: string | undefined, isPrivate = true) =>
  admitReader(
    { headers: { ...(authorization === undefined ? {} : { authorization }) }, socket: {} as Socket },
    { trust, operators: () => operators, isPrivate: () => isPrivate },
    Date.now(),
  );
const person = async (who: string) => `Bearer ${await mintLogin({ stateDir, person: who, ttlS: 60, env })}`;
const service = async (id: string, ttlS = 60) =>
  `Bearer ${await mintSvid({ stateDir, id, audience: 'mayfly', ttlS, env })}`;

it('lets operators and auditors read, people and services', async () => {
  expect(admit(await person(NADIA))).toBe(NADIA);
  expect(admit(await service(SERVICE))).toBe(SERVICE);
});

it.each([
  ['an approver', () => person('user:olga@corp.example')],
  ['a person of no role', () => person('user:maria@corp.example')],
  ['an agent', () => service('spiffe://dev.mayfly/agent/analyst')],
])('does not let %s read', async (_who, token) => {
  const authorization = await token();
  expect(() => admit(authorization)).toThrow(expect.objectContaining({ code: 'ERR_FORBIDDEN' }) as Error);
});

it.each([
  ['no token', () => Promise.resolve(undefined)],
  ['what is no token', () => Promise.resolve('Bearer nothing')],
  ['another way to authenticate', () => Promise.resolve('Basic bmFkaWE6eA==')],
  ['a token that nobody signed', async () => `${(await person(NADIA)).slice(0, -4)}AAAA`],
  ['a token of a service that lies about for an hour', () => service(SERVICE, 3_600)],
])('takes %s for nobody', async (_what, token) => {
  const authorization = await token();
  expect(() => admit(authorization)).toThrow(
    expect.objectContaining({ code: 'ERR_UNAUTHENTICATED' }) as Error,
  );
});

it('looks at no token that others could have read on its way', async () => {
  const authorization = await person(NADIA);
  expect(() => admit(authorization, false)).toThrow(
    expect.objectContaining({ code: 'ERR_TLS_REQUIRED' }) as Error,
  );
});
