import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { DpopNonces } from '#identity/dpop-nonce.js';
import { verifyDpop, type DpopRequest } from '#identity/dpop.js';
import { Secret } from '#providers/secret.js';
import { AgentError } from './agent-error.js';
import { ProofKey } from './proof-key.js';
import { TokenCredential } from './token-credential.js';

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const tokenFor = (aud: unknown) => `${part({ alg: 'ES256' })}.${part({ aud })}.c2ln`;
const LEASE = '0192f0a0-0000-7000-8000-00000000000a';

describe('a token in use', () => {
  const key = ProofKey.generate();
  let server: Server;
  let origin: string;
  let over: AbortController;
  let seen: { url: string; body: string; said: string; verdict: ReturnType<typeof verifyDpop> }[];
  let nonces: DpopNonces | undefined;

  beforeEach(async () => {
    seen = [];
    nonces = undefined;
    over = new AbortController();
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const token = headers.authorization?.replace(/^DPoP /, '') ?? '';
        const asked: DpopRequest = {
          method,
          url: `${origin}${url}`,
          accessToken: token,
          ...(nonces && { nonces }),
        };
        const verdict = verifyDpop(String(headers.dpop), asked, Date.now());
        seen.push({ url, body, said: headers.authorization ?? '', verdict });
        if (nonces) response.setHeader('dpop-nonce', nonces.at(Date.now()));
        if (url === '/elsewhere') return void response.writeHead(302, { location: '/orders' }).end();
        if (verdict.ok) return void response.end('{}');
        const error = verdict.refusal.code === 'ERR_DPOP_NONCE' ? 'use_dpop_nonce' : 'invalid_dpop_proof';
        response.writeHead(401, { 'www-authenticate': `DPoP error="${error}", algs="ES256"` }).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const credentialFor = (aud: unknown = origin, fetch?: typeof globalThis.fetch) =>
    new TokenCredential({
      opened: {
        kind: 'jwt',
        leaseId: LEASE,
        notAfter: '2026-11-24T19:02:00.000Z',
        token: new Secret(tokenFor(aud)),
        dpop: true,
      },
      key,
      signal: over.signal,
      renew: () => Promise.reject(new Error('nobody renews')),
      ...(fetch === undefined ? {} : { fetch }),
    });

  it('goes with each request, together with a proof of its own', async () => {
    const credential = credentialFor();
    const first = await credential.fetch(`${origin}/orders?status=open#top`);
    const second = await credential.fetch(new URL('/orders', origin), {
      method: 'post',
      body: '{"order":1}',
    });
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(seen.map(({ said }) => said)).toEqual([`DPoP ${tokenFor(origin)}`, `DPoP ${tokenFor(origin)}`]);
    expect(seen.map(({ verdict }) => verdict.ok && verdict.jkt)).toEqual([key.thumbprint, key.thumbprint]);
    expect(new Set(seen.map(({ verdict }) => verdict.ok && verdict.jti)).size).toBe(2);
    expect(seen[1]?.body).toBe('{"order":1}');
  });

  it('brings the nonce that the service asks for, and keeps it', async () => {
    nonces = new DpopNonces(new Uint8Array(32).fill(7));
    const credential = credentialFor();
    expect((await credential.fetch(`${origin}/orders`, { method: 'POST', body: 'once' })).status).toBe(200);
    expect((await credential.fetch(`${origin}/orders`)).status).toBe(200);
    expect(seen.map(({ verdict }) => (verdict.ok ? 'taken' : verdict.refusal.code))).toEqual([
      'ERR_DPOP_NONCE',
      'taken',
      'taken',
    ]);
    expect(seen[1]?.body).toBe('once');
  });

  it('does not send a stream twice', async () => {
    nonces = new DpopNonces(new Uint8Array(32).fill(7));
    const init = { method: 'POST', body: new Blob(['once']).stream(), duplex: 'half' } as RequestInit;
    expect((await credentialFor().fetch(`${origin}/orders`, init)).status).toBe(401);
    expect(seen).toHaveLength(1);
  });

  it.each([
    'https://orders.example.evil/',
    'http://localhost:1/',
    'https://evil.example/?u=https://orders.example',
  ])('goes to nobody but its audience: not to %s', async (url) => {
    await expect(credentialFor('https://orders.example').fetch(url)).rejects.toMatchObject({
      code: 'ERR_TOKEN_OTHER_AUDIENCE',
      message: 'the token is for another service',
    });
    expect(seen).toEqual([]);
  });

  it('goes nowhere in clear, and nowhere on the word of a redirect', async () => {
    await expect(
      credentialFor('http://orders.example').fetch('http://orders.example/'),
    ).rejects.toMatchObject({
      code: 'ERR_URL_INSECURE',
    });
    await expect(credentialFor().fetch(`${origin}/elsewhere`)).rejects.toThrow('fetch failed');
    expect(seen.map(({ url }) => url)).toEqual(['/elsewhere']);
  });

  it('is of no more use when the task is over, whatever is under way', async () => {
    const credential = credentialFor();
    over.abort(new AgentError('ERR_TASK_OVER', 'the task is over'));
    await expect(credential.fetch(`${origin}/orders`)).rejects.toMatchObject({ code: 'ERR_TASK_OVER' });
    expect(seen).toEqual([]);
  });

  it('is not given to a fetch that knows no signals, once the task is over', async () => {
    let sent = 0;
    const credential = credentialFor('https://orders.example', () =>
      Promise.resolve(Response.json((sent += 1))),
    );
    await credential.fetch('https://orders.example/');
    over.abort(new AgentError('ERR_TASK_OVER', 'the task is over'));
    await expect(credential.fetch('https://orders.example/')).rejects.toMatchObject({
      code: 'ERR_TASK_OVER',
    });
    expect(sent).toBe(1);
  });

  it('gives other clients a proof', () => {
    const credential = credentialFor();
    const proof = credential.proof('DELETE', `${origin}/orders/1?force=1`);
    const request = { method: 'DELETE', url: `${origin}/orders/1`, accessToken: credential.token.reveal() };
    expect(verifyDpop(proof, request, Date.now())).toMatchObject({ ok: true, jkt: key.thumbprint });
    const claims = JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString()) as {
      htu: string;
    };
    // RFC 9449 §4.2: without query and fragment. What is asked for is nobody's business but the service's.
    expect(claims.htu).toBe(`${origin}/orders/1`);
  });

  it('shows itself to nobody who prints it', () => {
    const credential = credentialFor();
    const shown = `${inspect(credential, { depth: 9, showHidden: true })}${JSON.stringify(credential)}`;
    expect(shown).not.toContain(tokenFor(origin));
    expect(shown).not.toContain(tokenFor(origin).split('.')[1]);
    expect(shown).toContain(LEASE);
  });

  it.each([undefined, ['https://orders.example'], 7])('is refused where it is for %p', (aud) => {
    expect(() => credentialFor(aud === undefined ? null : aud)).toThrow(
      expect.objectContaining({ code: 'ERR_ENVELOPE_INVALID' }) as Error,
    );
  });
});
