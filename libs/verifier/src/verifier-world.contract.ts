/**
 * A world for the specs of the verifier: tokens and proofs made by `jose`, keys that everybody knows, and a clock that the spec moves.
 * Nothing of it is made with the code under test.
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { SignJWT, calculateJwkThumbprint, importJWK, type JWK } from 'jose';
import { AGENT_KEY, ISSUER_KEY, publicOf } from '../../identity/test/fixtures.js';
import type { TokenKeys } from './issuer-keys.js';
import type { Life } from './life.js';
import { createVerifier, type RequestToCheck, type VerifierOptions } from './verifier.js';

export const NOW_MS = Date.parse('2026-11-24T12:00:00.000Z');
export const NOW_S = NOW_MS / 1000;
export const ISSUER = 'https://mayfly.example';
export const AUDIENCE = 'https://orders.example';
export const KID = 'token-2026';
export const TASK = '01936f2e-7c4a-7e11-8a5b-0123456789ab';
export const PARENT = '01936f2e-7c4a-7e11-8a5b-ba9876543210';
export const LEASE = '01936f2e-8000-7000-9000-000000000001';
export const AGENT = 'spiffe://corp.example/agent/executor';
export const URL_OF_ACT = `${AUDIENCE}/orders/17?full=1`;

type PrivateJwk = typeof ISSUER_KEY;

export const keyObjectOf = (jwk: PrivateJwk): KeyObject =>
  createPublicKey({ key: publicOf(jwk), format: 'jwk' });

/** Claims of a token that reads and writes `orders` with the tool `orders.api`. */
export async function claims(over: Record<string, unknown> = {}) {
  return {
    iss: ISSUER,
    sub: 'user:maria@corp.example',
    aud: AUDIENCE,
    client_id: AGENT,
    iat: NOW_S - 10,
    exp: NOW_S + 110,
    jti: LEASE,
    cnf: { jkt: await calculateJwkThumbprint(publicOf(AGENT_KEY)) },
    authorization_details: [detail()],
    act: { sub: AGENT },
    lineage: [
      { taskId: TASK, generation: 1 },
      { taskId: PARENT, generation: 2 },
    ],
    ...over,
  };
}

export const detail = (over: Record<string, unknown> = {}) => ({
  type: 'mayfly_tool_access',
  locations: [AUDIENCE],
  tool: 'orders.api',
  dataset: 'orders',
  actions: ['read', 'write'],
  task: TASK,
  ...over,
});

const sign = async (header: Record<string, unknown>, payload: Record<string, unknown>, key: PrivateJwk) =>
  new SignJWT(payload).setProtectedHeader({ ...header, alg: 'ES256' }).sign(await importJWK(key, 'ES256'));

export async function accessToken(
  over: Record<string, unknown> = {},
  { key = ISSUER_KEY, ...header }: { key?: PrivateJwk; typ?: string; kid?: string } = {},
): Promise<string> {
  return sign({ typ: 'at+jwt', kid: KID, ...header }, await claims(over), key);
}

export const ath = (token: string) => createHash('sha256').update(token).digest('base64url');

let proofs = 0;
export const dpop = (
  token: string,
  over: Record<string, unknown> = {},
  { key = AGENT_KEY, ...header }: { key?: PrivateJwk; typ?: string; jwk?: JWK } = {},
): Promise<string> =>
  sign(
    { typ: 'dpop+jwt', jwk: publicOf(key), ...header },
    {
      jti: `proof-${(proofs += 1)}`,
      htm: 'GET',
      htu: 'https://orders.example/orders/17',
      iat: NOW_S,
      ath: ath(token),
      ...over,
    },
    key,
  );

/** A request that is let through, unless something about it is changed. */
export async function request(
  over: Partial<RequestToCheck> & { token?: string } = {},
): Promise<RequestToCheck> {
  const { token = await accessToken(), ...rest } = over;
  return {
    method: 'GET',
    url: URL_OF_ACT,
    authorization: `DPoP ${token}`,
    dpop: await dpop(token),
    tool: 'orders.api',
    dataset: 'orders',
    action: 'read',
    ...rest,
  };
}

/** Keys that a spec gives and takes; `later` is found by the first look. */
export class FakeKeys implements TokenKeys {
  stale = false;
  sought = 0;
  constructor(
    readonly known: Record<string, KeyObject> = { [KID]: keyObjectOf(ISSUER_KEY) },
    readonly later: Record<string, KeyObject> = {},
  ) {}

  keyOf = (kid: string): KeyObject | undefined =>
    !this.stale && Object.hasOwn(this.known, kid) ? this.known[kid] : undefined;

  seek = (kid: string): Promise<boolean> => {
    this.sought += 1;
    Object.assign(this.known, this.later);
    return Promise.resolve(this.keyOf(kid) !== undefined);
  };

  isStale = (): boolean => this.stale;
}

/** A verifier of `orders.example` to whom every lease lives, unless the spec says otherwise. */
export const verifierWith = (over: Partial<VerifierOptions> & { lives?: Life } = {}) => {
  const { lives = 'live', ...options } = over;
  return createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: new FakeKeys(),
    life: { lifeOf: () => lives },
    clock: () => NOW_MS,
    ...options,
  });
};
