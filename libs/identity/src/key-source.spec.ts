import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  AGENT,
  APPENDED_AT_MS,
  ISSUER_JWK,
  NOW_S,
  OTHER_KEY,
  keyObject,
  publicOf,
  send,
  token,
} from '../test/fixtures.js';
import { admit } from './admit.js';
import { verifyBearer } from './bearer.js';
import { IdentityError } from './errors.js';
import type { SpiffeIssuer } from './issuer-config.js';
import { loadTrust, type Trust } from './trust.js';

const URL = 'https://spire.corp.example/bundle';
const NEXT_JWK = { ...publicOf(OTHER_KEY), kid: 'issuer-2027', use: 'jwt-svid' };
const START_MS = APPENDED_AT_MS - 3_600_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** An address that answers as it is told, and counts. */
class Address {
  bundle: object = { keys: [ISSUER_JWK], spiffe_sequence: 1, spiffe_refresh_hint: 60 };
  down = false;
  reads = 0;
  slow: Promise<void> | undefined;
  readonly read = async () => {
    this.reads += 1;
    await this.slow;
    if (this.down) throw new IdentityError('ERR_IDENTITY_FETCH_FAILED', 'no answer', { url: URL });
    return Buffer.from(JSON.stringify(this.bundle));
  };
}

let address: Address;
beforeEach(() => {
  address = new Address();
});
const trusting = (issuer: Partial<SpiffeIssuer> = {}) =>
  loadTrust(
    [{ type: 'spiffe', trustDomain: 'corp.example', bundle: URL, audience: 'mayfly', ...issuer }],
    'production',
    { read: address.read, nowMs: () => START_MS },
  );
const codeOf = (trust: Trust, sending: Parameters<typeof send>[0] = {}) => {
  const admission = admit(send(sending), trust);
  return admission.ok ? 'admitted' : admission.refusal.code;
};
/** A bearer token that names a key nobody knows. */
const ask = (trust: Trust, kid: string) =>
  verifyBearer(
    token(
      { alg: 'ES256', kid },
      { sub: AGENT, aud: 'mayfly', iat: NOW_S, exp: NOW_S + 60 },
      keyObject(OTHER_KEY),
    ),
    trust,
    APPENDED_AT_MS,
  );

describe('keys at an address', () => {
  it('are read at the pace of the hint, however often it is asked', async () => {
    const trust = await trusting();
    expect(trust.refreshEveryMs).toBe(5_000);
    for (let ms = 0; ms < 5 * MINUTE_MS; ms += 5_000) await trust.refresh(START_MS + ms);
    expect(address.reads).toBe(1 + 4);
  });

  it('that are new vouch once they were read', async () => {
    const trust = await trusting();
    address.bundle = { keys: [NEXT_JWK], spiffe_sequence: 2 };
    expect(await trust.refresh(START_MS + MINUTE_MS)).toEqual([]);
    expect(codeOf(trust, { issuerKey: OTHER_KEY, svidHeader: { kid: 'issuer-2027' } })).toBe('admitted');
  });

  it('do not go back', async () => {
    const trust = await trusting();
    address.bundle = { keys: [NEXT_JWK], spiffe_sequence: 0 };
    expect(await trust.refresh(START_MS + MINUTE_MS)).toMatchObject([{ code: 'ERR_IDENTITY_BUNDLE_STALE' }]);
    expect(codeOf(trust)).toBe('admitted');
  });

  it('that are none revoke everything', async () => {
    const trust = await trusting();
    address.bundle = { keys: [], spiffe_sequence: 2 };
    await trust.refresh(START_MS + MINUTE_MS);
    expect(codeOf(trust)).toBe('ERR_SVID_UNTRUSTED');
  });

  it('are read once for all who ask at once', async () => {
    const trust = await trusting();
    let answer: () => void = () => undefined;
    address.slow = new Promise((resolve) => {
      answer = resolve;
    });
    const asked = [1, 2, 3].map((n) => trust.refresh(START_MS + MINUTE_MS + n));
    answer();
    expect(await Promise.all(asked)).toEqual([[], [], []]);
    expect(address.reads).toBe(2);
  });
});

describe('an address that does not answer', () => {
  it('is no start', async () => {
    address.down = true;
    await expect(trusting()).rejects.toMatchObject({ code: 'ERR_IDENTITY_FETCH_FAILED' });
  });

  it('is asked again ever more seldom, and said each time', async () => {
    const trust = await trusting({ maxStaleMs: 7 * 24 * HOUR_MS });
    address.bundle = { keys: [ISSUER_JWK], spiffe_sequence: 1, spiffe_refresh_hint: 3600 };
    await trust.refresh(START_MS + MINUTE_MS);
    address.down = true;
    const asked: number[] = [];
    let said = 0;
    for (let s = 3660; s < 3660 + 1200; s += 5) {
      const before = address.reads;
      said += (await trust.refresh(START_MS + s * 1000)).length;
      if (address.reads > before) asked.push(s - 3660);
    }
    expect(asked).toEqual([0, 5, 15, 35, 75, 155, 315, 615, 915]);
    expect(said).toBe(asked.length);
  });

  it('leaves what was read last good for a day, then nothing', async () => {
    const trust = await trusting();
    expect(codeOf(trust)).toBe('admitted');
    address.down = true;
    await trust.refresh(START_MS + 24 * HOUR_MS);
    expect(codeOf(trust)).toBe('admitted');
    await trust.refresh(START_MS + 24 * HOUR_MS + 1);
    expect(codeOf(trust)).toBe('ERR_SVID_UNTRUSTED');
  });

  it('leaves nothing good for longer than the configuration says, not even what the cache remembers', async () => {
    const trust = await trusting({ maxStaleMs: 10 * MINUTE_MS });
    const record = send();
    expect(admit(record, trust).ok).toBe(true);
    address.down = true;
    await trust.refresh(START_MS + 10 * MINUTE_MS + 1);
    expect(admit(record, trust).ok).toBe(false);
  });

  it('is believed again once it answers', async () => {
    const trust = await trusting({ maxStaleMs: 10 * MINUTE_MS });
    address.down = true;
    await trust.refresh(START_MS + 11 * MINUTE_MS);
    address.down = false;
    expect(await trust.refresh(START_MS + 12 * MINUTE_MS)).toEqual([]);
    expect(codeOf(trust)).toBe('admitted');
  });
});

describe('a key that nobody knows', () => {
  it('brings the next look forward', async () => {
    address.bundle = { keys: [ISSUER_JWK], spiffe_refresh_hint: 3600 };
    const trust = await trusting();
    expect(ask(trust, 'issuer-2027')).toMatchObject({ refusal: { code: 'ERR_SVID_UNTRUSTED' } });
    address.bundle = { keys: [ISSUER_JWK, NEXT_JWK], spiffe_refresh_hint: 3600 };
    await trust.refresh(START_MS + 30_000);
    expect(ask(trust, 'issuer-2027')).toMatchObject({ ok: true, id: AGENT });
  });

  it('however many there are, makes few requests', async () => {
    address.bundle = { keys: [ISSUER_JWK], spiffe_refresh_hint: 3600 };
    const trust = await trusting();
    const asked: number[] = [];
    for (let s = 0; s < 1800; s += 5) {
      ask(trust, `no-key-${s}`);
      const before = address.reads;
      await trust.refresh(START_MS + s * 1000);
      if (address.reads > before) asked.push(s);
    }
    expect(asked).toEqual([30, 60, 120, 240, 480, 960, 1560]);
  });
});
