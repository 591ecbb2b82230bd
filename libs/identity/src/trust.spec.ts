import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { APPENDED_AT_MS, ISSUER_JWK, NOW_S, OTHER_KEY, TASK_ID, publicOf, send } from '../test/fixtures.js';
import { admit } from './admit.js';
import type { SpiffeIssuer } from './issuer-config.js';
import { loadTrust, type Trust } from './trust.js';

const NEXT_JWK = { ...publicOf(OTHER_KEY), kid: 'issuer-2027', use: 'jwt-svid' };
const DAY_MS = 86_400_000;
let folder: string;
let bundle: string;
const issuer = (): SpiffeIssuer => ({
  type: 'spiffe',
  trustDomain: 'corp.example',
  bundle,
  audience: 'mayfly',
});
const write = (sequence: number | undefined, ...keys: object[]) =>
  writeFile(bundle, JSON.stringify({ keys, spiffe_sequence: sequence, spiffe_refresh_hint: 60 }));
const codeOf = (trust: Trust, sending: Parameters<typeof send>[0] = {}) => {
  const admission = admit(send(sending), trust);
  return admission.ok ? 'admitted' : admission.refusal.code;
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-trust-'));
  bundle = join(folder, 'bundle.json');
  await write(1, ISSUER_JWK);
});
afterEach(() => rm(folder, { recursive: true }));

describe('loading', () => {
  it('believes the issuers it is given', async () => {
    const trust = await loadTrust([issuer()], 'production');
    expect(codeOf(trust)).toBe('admitted');
    expect(trust.domains).toEqual([{ name: 'corp.example', development: false }]);
    expect(trust.refreshEveryMs).toBe(60_000);
  });

  // Node takes a timer of more than 2^31 ms for one of 1 ms: the file would be read without a pause.
  it.each([
    ['a year', 31_536_000, 3_600_000],
    ['a millisecond', 0.001, 1_000],
  ])('looks again at a sensible pace where the bundle asks for %s', async (_, hintS, everyMs) => {
    await writeFile(bundle, JSON.stringify({ keys: [ISSUER_JWK], spiffe_refresh_hint: hintS }));

    expect((await loadTrust([issuer()], 'production')).refreshEveryMs).toBe(everyMs);
  });

  it('believes a development issuer in development only', async () => {
    const development = [{ ...issuer(), development: true }];
    expect(codeOf(await loadTrust(development, 'development'))).toBe('admitted');
    await expect(loadTrust(development, 'production')).rejects.toMatchObject({
      code: 'ERR_IDENTITY_DEVELOPMENT_ONLY',
    });
  });

  it.each([
    [
      'a name that is no trust domain',
      () => [{ ...issuer(), trustDomain: 'Corp' }],
      'ERR_IDENTITY_ISSUER_INVALID',
    ],
    ['one trust domain twice', () => [issuer(), issuer()], 'ERR_IDENTITY_ISSUER_INVALID'],
    ['an empty audience', () => [{ ...issuer(), audience: '' }], 'ERR_IDENTITY_ISSUER_INVALID'],
    ['nobody to believe', () => [], 'ERR_IDENTITY_ISSUER_INVALID'],
    [
      'a bundle that is not there',
      () => [{ ...issuer(), bundle: `${bundle}.gone` }],
      'ERR_IDENTITY_FILE_UNREADABLE',
    ],
  ])('fails with %s', async (_what, issuers, code) => {
    await expect(loadTrust(issuers(), 'production')).rejects.toMatchObject({ code });
  });
});

describe('after a rotation', () => {
  const ROTATED_AT_MS = APPENDED_AT_MS + 10_000;
  const rotated = async () => {
    const trust = await loadTrust([issuer()], 'production');
    codeOf(trust);
    await write(2, NEXT_JWK);
    expect(await trust.refresh(ROTATED_AT_MS)).toEqual([]);
    return trust;
  };

  it('the new key vouches', async () => {
    expect(codeOf(await rotated(), { issuerKey: OTHER_KEY, svidHeader: { kid: 'issuer-2027' } })).toBe(
      'admitted',
    );
  });

  it('the retired key vouches for what was appended before', async () => {
    expect(codeOf(await rotated())).toBe('admitted');
  });

  it('the retired key vouches for nothing appended later, not even with an SVID the cache remembers', async () => {
    const trust = await rotated();
    const first = send();
    expect(admit(first, trust).ok).toBe(true);
    const svid = String(first.headers['mayfly-svid']);
    const later = { svid, appendedAtMs: ROTATED_AT_MS + 1, proofClaims: { iat: NOW_S + 10 } };
    expect([codeOf(trust, { svid }), codeOf(trust, later)]).toEqual(['admitted', 'ERR_SVID_UNTRUSTED']);
  });

  it('a task may be ended by an SVID that expired before its key was retired', async () => {
    const ended = {
      type: 'dev.mayfly.task.ended.v1',
      data: { taskId: TASK_ID, outcome: 'completed' },
      appendedAtMs: ROTATED_AT_MS + 30_000,
      svidClaims: { iat: NOW_S - 60, exp: NOW_S },
      proofClaims: { iat: NOW_S + 40 },
    };
    expect(codeOf(await rotated(), ended)).toBe('admitted');
  });

  it('the retired key is forgotten after the retention of the topic', async () => {
    const trust = await rotated();
    await trust.refresh(ROTATED_AT_MS + 7 * DAY_MS + 1);
    expect(codeOf(trust)).toBe('ERR_SVID_UNTRUSTED');
  });

  it('a key that comes back vouches again', async () => {
    const trust = await rotated();
    await write(3, ISSUER_JWK, NEXT_JWK);
    await trust.refresh(ROTATED_AT_MS + 1000);
    const later = { appendedAtMs: ROTATED_AT_MS + 2000, proofClaims: { iat: NOW_S + 12 } };
    expect(codeOf(trust, later)).toBe('admitted');
  });

  it('a bundle without keys revokes everything at once, the retired keys too', async () => {
    const trust = await rotated();
    await write(3);
    await trust.refresh(ROTATED_AT_MS + 1000);
    expect(codeOf(trust)).toBe('ERR_SVID_UNTRUSTED');
  });

  it.each([
    ['with a lower sequence', 0],
    ['without a sequence', undefined],
  ])('an older bundle %s changes nothing and is reported', async (_what, sequence) => {
    const trust = await rotated();
    await write(sequence, ISSUER_JWK);
    expect(await trust.refresh(ROTATED_AT_MS + 1000)).toMatchObject([{ code: 'ERR_IDENTITY_BUNDLE_STALE' }]);
    expect(codeOf(trust, { issuerKey: OTHER_KEY, svidHeader: { kid: 'issuer-2027' } })).toBe('admitted');
  });

  it('a broken bundle changes nothing and is reported', async () => {
    const trust = await rotated();
    await writeFile(bundle, 'half a fi');
    expect(await trust.refresh(ROTATED_AT_MS + 1000)).toMatchObject([
      { code: 'ERR_IDENTITY_BUNDLE_INVALID' },
    ]);
    expect(codeOf(trust)).toBe('admitted');
  });
});
