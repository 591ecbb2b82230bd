import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { ProofKey } from '#agent/proof-key.js';
import { signEvent } from '#agent/signed-event.js';
import { admit } from '../admit.js';
import { verifyBearer } from '../bearer.js';
import { RecordSigner, loadPeerKeys } from '../records.js';
import { boundAudience } from '../svid.js';
import { loadTrust } from '../trust.js';
import { ensureDevelopmentTrust } from './development-trust.js';
import { mintSvid } from './mint-svid.js';
import { ensureServiceKeys } from './service-keys.js';

const ID = 'spiffe://dev.mayfly/agent/analyst';
const NOW_MS = Date.parse('2026-11-24T12:00:00.000Z');
const ISSUER = { type: 'spiffe', trustDomain: 'dev.mayfly', audience: 'mayfly', development: true } as const;
const env = { MAYFLY_ENV: 'development' };
let stateDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'mayfly-development-'));
});
afterEach(() => rm(stateDir, { recursive: true }));

const read = async (file: string) => JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
const modeOf = async (file: string) => (await stat(file)).mode & 0o777;

describe('the development trust domain', () => {
  it('signs SVIDs that its own bundle verifies', async () => {
    const { bundleFile } = await ensureDevelopmentTrust(stateDir, undefined, env);
    const svid = await mintSvid({ stateDir, id: ID, audience: 'mayfly', ttlS: 300, nowMs: NOW_MS, env });
    const trust = await loadTrust([{ ...ISSUER, bundle: bundleFile }], 'development');
    expect(verifyBearer(svid, trust, NOW_MS)).toMatchObject({ ok: true, id: ID });
  });

  it('vouches for the events of its workloads', async () => {
    const { bundleFile } = await ensureDevelopmentTrust(stateDir, undefined, env);
    const key = ProofKey.generate();
    const audience = boundAudience('mayfly', key.thumbprint);
    const svid = await mintSvid({ stateDir, id: ID, audience, ttlS: 300, nowMs: NOW_MS, env });
    const data = { taskId: '01936f2e-7c4a-7e11-8a5b-0123456789ab', outcome: 'completed' } as const;
    const event = signEvent({ type: 'task.ended', data, svid, key, nowMs: NOW_MS });
    const record = { ...event, key: Buffer.from(event.key), partition: 0, offset: 0n, appendedAtMs: NOW_MS };
    const trust = await loadTrust([{ ...ISSUER, bundle: bundleFile }], 'development');
    expect(admit(record, trust)).toMatchObject({
      ok: true,
      admitted: { sender: ID, proofKeyThumbprint: key.thumbprint, event: { type: 'task.ended', data } },
    });
  });

  it('signs SVIDs that jose verifies, once the use of the keys is not asked', async () => {
    const { bundleFile } = await ensureDevelopmentTrust(stateDir, undefined, env);
    const svid = await mintSvid({ stateDir, id: ID, audience: 'mayfly', ttlS: 300, nowMs: NOW_MS, env });
    const { keys } = (await read(bundleFile)) as unknown as JSONWebKeySet;
    const { payload, protectedHeader } = await jwtVerify(
      svid,
      createLocalJWKSet({ keys: keys.map(({ use: _use, ...jwk }) => jwk) }),
      { audience: 'mayfly', currentDate: new Date(NOW_MS) },
    );
    expect(payload).toEqual({ sub: ID, aud: ['mayfly'], iat: NOW_MS / 1000, exp: NOW_MS / 1000 + 300 });
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'JWT', kid: keys[0]?.kid });
  });

  it('keeps its key, which nobody else can read', async () => {
    const { keyFile } = await ensureDevelopmentTrust(stateDir, undefined, env);
    const first = await read(keyFile);
    await ensureDevelopmentTrust(stateDir, undefined, env);
    expect(await read(keyFile)).toEqual(first);
    expect(await modeOf(keyFile)).toBe(0o600);
  });

  it('has one key, however many make it at once, and leaves no draft behind', async () => {
    const made = await Promise.all(
      Array.from({ length: 8 }, () => ensureDevelopmentTrust(stateDir, undefined, env)),
    );
    const kid = (await read(made[0]?.keyFile ?? '')).kid;
    expect(((await read(made[0]?.bundleFile ?? '')).keys as { kid: string }[])[0]?.kid).toBe(kid);
    expect((await readdir(join(stateDir, 'dev-ca'))).sort()).toEqual(['bundle.json', 'key.jwk']);
  });

  it.each([
    ['for what is no SPIFFE id', { id: 'maria' }],
    ['for more than 24 h', { ttlS: 86_401 }],
    ['for no time at all', { ttlS: 0 }],
  ])('mints nothing %s', async (_what, request) => {
    await ensureDevelopmentTrust(stateDir, undefined, env);
    await expect(
      mintSvid({ stateDir, id: ID, audience: 'mayfly', ttlS: 300, env, ...request }),
    ).rejects.toMatchObject({ code: 'ERR_IDENTITY_SVID_REFUSED' });
  });
});

describe('the service keys', () => {
  it('sign records that the peers verify', async () => {
    const files = await ensureServiceKeys(stateDir, env);
    const signer = await RecordSigner.fromFile(files.revoker.signingKey, 'revoker');
    const peers = await loadPeerKeys(files);
    expect([...peers.values()].map(({ service }) => service)).toEqual(['broker', 'revoker', 'auditor']);
    expect(peers.get(signer.jwks.keys[0]?.kid ?? '')?.service).toBe('revoker');
  });

  it('are private where they sign and public where they verify', async () => {
    const { broker } = await ensureServiceKeys(stateDir, env);
    expect([await modeOf(broker.signingKey), (await read(broker.signingKey)).d === undefined]).toEqual([
      0o600,
      false,
    ]);
    expect(await readFile(broker.jwks, 'utf8')).not.toContain('"d"');
  });
});

describe('outside development', () => {
  it.each([{}, { MAYFLY_ENV: 'production' }])(
    'with %j nothing is made and nothing is minted',
    async (production) => {
      const refused = { code: 'ERR_IDENTITY_DEVELOPMENT_ONLY' };
      await expect(ensureDevelopmentTrust(stateDir, 'dev.mayfly', production)).rejects.toMatchObject(refused);
      await expect(ensureServiceKeys(stateDir, production)).rejects.toMatchObject(refused);
      const request = { stateDir, id: ID, audience: 'mayfly', ttlS: 300, env: production };
      await expect(mintSvid(request)).rejects.toMatchObject(refused);
      expect(await readdir(stateDir)).toEqual([]);
    },
  );
});
