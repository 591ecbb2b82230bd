/** What a request needs to be let through and what of it changes from one moment to the next. */
import { createHash } from 'node:crypto';
import { AGENT_KEY, ISSUER_KEY, OTHER_KEY, publicOf } from '../../identity/test/fixtures.js';
import { ReplayCache } from './replay-cache.js';
import type { RequestToCheck, Verdict, VerifierOptions } from './verifier.js';
import {
  AGENT,
  FakeKeys,
  KID,
  LEASE,
  NOW_S,
  TASK,
  accessToken,
  detail,
  dpop,
  keyObjectOf,
  request,
  verifierWith,
} from './verifier-world.contract.js';

const sha256Hex = (text: string) => createHash('sha256').update(text).digest('hex');
const codeOf = (verdict: Verdict) => (verdict.ok ? 'ok' : verdict.code);

it('says who acts, for whom, in which task and by which lease', async () => {
  const verdict = await verifierWith().check(await request());
  expect(verdict).toMatchObject({
    ok: true,
    agent: AGENT,
    principal: 'user:maria@corp.example',
    task: TASK,
    lease: LEASE,
    actions: ['read', 'write'],
  });
});

it('takes a token for a tool without a dataset for acts without one, and for no others', async () => {
  const token = await accessToken({ authorization_details: [detail({ dataset: undefined })] });
  const { dataset: _none, ...act } = await request({ token });
  expect(codeOf(await verifierWith().check(act))).toBe('ok');
  expect(codeOf(await verifierWith().check(await request({ token })))).toBe('ERR_ACT_NOT_GRANTED');
});

it('takes the arguments in any order of their members', async () => {
  const token = await accessToken({ arguments_sha256: sha256Hex('{"amount":5,"order":17}') });
  const ordered = await request({ token, arguments: { order: 17, amount: 5 } });
  expect(codeOf(await verifierWith().check(ordered))).toBe('ok');
});

it('refuses a proof that was used before', async () => {
  const verifier = verifierWith();
  const asked = await request();
  expect(codeOf(await verifier.check(asked))).toBe('ok');
  expect(codeOf(await verifier.check(asked))).toBe('ERR_DPOP_REPLAYED');
});

it('takes one of two requests that bring one proof at the same time', async () => {
  const verifier = verifierWith();
  const asked = await request();
  const codes = await Promise.all([verifier.check(asked), verifier.check(asked)]);
  expect(codes.map(codeOf).sort()).toEqual(['ERR_DPOP_REPLAYED', 'ok']);
});

it('uses no proof up for a request that is refused', async () => {
  const replays = new ReplayCache();
  await verifierWith({ replays, lives: 'unknown' }).check(await request());
  expect(replays.size).toBe(0);
});

it('finds a key that was published after its last look', async () => {
  const keys = new FakeKeys({}, { [KID]: keyObjectOf(ISSUER_KEY) });
  expect(codeOf(await verifierWith({ keys }).check(await request()))).toBe('ok');
  expect(keys.sought).toBe(1);
});

describe('a token that was verified before', () => {
  const twice = async (options: Partial<VerifierOptions>, between: () => void) => {
    const verifier = verifierWith(options);
    const token = await accessToken();
    expect(codeOf(await verifier.check(await request({ token })))).toBe('ok');
    between();
    return codeOf(await verifier.check(await request({ token })));
  };

  it('is taken again, with another proof', async () => {
    expect(await twice({}, () => undefined)).toBe('ok');
  });

  it('is refused once its time has passed', async () => {
    let nowMs = NOW_S * 1000;
    const code = await twice({ clock: () => nowMs }, () => (nowMs += 110_000));
    expect(code).toBe('ERR_TOKEN_EXPIRED');
  });

  it('is refused once its key was withdrawn, or another one bears its name', async () => {
    const withdrawn = new FakeKeys();
    expect(await twice({ keys: withdrawn }, () => delete withdrawn.known[KID])).toBe('ERR_TOKEN_KEY_UNKNOWN');
    const replaced = new FakeKeys();
    const replace = () => (replaced.known[KID] = keyObjectOf(OTHER_KEY));
    expect(await twice({ keys: replaced }, replace)).toBe('ERR_TOKEN_SIGNATURE');
  });

  it('is refused once its lease is dead', async () => {
    let lives: 'live' | 'dead' = 'live';
    expect(await twice({ life: { lifeOf: () => lives } }, () => (lives = 'dead'))).toBe('ERR_TOKEN_REVOKED');
  });

  it('stays bound to its holder, whose key is remembered as the holder proved it', async () => {
    const verifier = verifierWith();
    const token = await accessToken();
    const [stolen, forged] = [{ key: OTHER_KEY }, { key: OTHER_KEY, jwk: publicOf(AGENT_KEY) }];
    const codes = [];
    for (const by of [{}, stolen, forged, {}])
      codes.push(codeOf(await verifier.check(await request({ token, dpop: await dpop(token, {}, by) }))));
    expect(codes).toEqual(['ok', 'ERR_DPOP_OTHER_KEY', 'ERR_DPOP_SIGNATURE', 'ok']);
  });

  it('is as good as one that was not: with one letter changed it is another', async () => {
    const verifier = verifierWith();
    const token = await accessToken();
    expect(codeOf(await verifier.check(await request({ token })))).toBe('ok');
    const changed = `${token.slice(0, -2)}${token.at(-2) === 'A' ? 'B' : 'A'}${token.at(-1)}`;
    expect(codeOf(await verifier.check(await request({ token: changed })))).toBe('ERR_TOKEN_SIGNATURE');
  });
});

describe('where it is not known whether the lease lives', () => {
  const introspect = () => Promise.resolve('active' as const);

  it('asks the broker about a read, and refuses a write', async () => {
    const verifier = verifierWith({ lives: 'unknown', introspect });
    expect(codeOf(await verifier.check(await request()))).toBe('ok');
    expect(codeOf(await verifier.check(await request({ action: 'write' })))).toBe('ERR_REVOCATION_UNKNOWN');
  });

  it('does for each action what its mode says', async () => {
    const whenUnknown = (action: string) => (action === 'write' ? 'introspect' : 'refuse');
    const verifier = verifierWith({ lives: 'unknown', introspect, whenUnknown });
    expect(codeOf(await verifier.check(await request({ action: 'write' })))).toBe('ok');
    expect(codeOf(await verifier.check(await request()))).toBe('ERR_REVOCATION_UNKNOWN');
  });

  it('asks nobody about a lease that is known to be dead', async () => {
    const verifier = verifierWith({ lives: 'dead', introspect });
    expect(codeOf(await verifier.check(await request()))).toBe('ERR_TOKEN_REVOKED');
  });
});

describe('WWW-Authenticate', () => {
  const challenge = async (asked: Promise<RequestToCheck>, options = {}) => {
    const verdict = await verifierWith(options).check(await asked);
    return verdict.ok ? 'ok' : verdict.wwwAuthenticate;
  };

  it('tells who brings no token how to bring one, and where to get it', async () => {
    const resourceMetadata = 'https://orders.example/.well-known/oauth-protected-resource';
    expect(await challenge(request({ authorization: undefined }), { resourceMetadata })).toBe(
      `DPoP algs="ES256 Ed25519 EdDSA", resource_metadata="${resourceMetadata}"`,
    );
  });
  it('names the error of RFC 9449 and our code', async () => {
    expect(await challenge(request({ dpop: undefined }))).toBe(
      'DPoP error="invalid_dpop_proof", error_description="ERR_DPOP_MISSING", algs="ES256 Ed25519 EdDSA"',
    );
    expect(await challenge(request({ tool: 'mail.send' }))).toContain('error="insufficient_scope"');
    expect(await challenge(request({ authorization: 'DPoP x' }))).toContain('error="invalid_token"');
  });
  it('is not there where another token would not help', async () => {
    expect(await challenge(request(), { lives: 'unknown' })).toBeUndefined();
  });
});
