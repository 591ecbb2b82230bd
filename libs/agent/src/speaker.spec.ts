import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileIdentity, type IdentitySource } from './identity-source.js';
import { ProofKey } from './proof-key.js';
import { Speaker } from './speaker.js';
import { workloadIdentity } from './workload-identity.js';

const TASK = '0192f0a0-0000-7000-8000-000000000001';
const EXECUTOR = 'spiffe://corp.example/agent/executor';
const NOW_MS = Date.parse('2026-11-24T19:00:00.000Z');
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const svid = (claims: object) => `${part({ alg: 'ES256' })}.${part(claims)}.c2ln`;
const ended = { type: 'task.ended', data: { taskId: TASK, outcome: 'completed' } } as const;

describe('a speaker', () => {
  let nowMs = NOW_MS;
  let audiences: string[] = [];
  beforeEach(() => {
    nowMs = NOW_MS;
    audiences = [];
  });

  const source: IdentitySource = (audience) => {
    audiences.push(audience);
    return Promise.resolve(svid({ sub: EXECUTOR, exp: nowMs / 1000 + 300 }));
  };

  it('asks for an identity that is bound to its key', async () => {
    const speaker = new Speaker(source);
    await speaker.sign(ended);
    expect(audiences).toEqual([`mayfly:jkt:${speaker.key.thumbprint}`]);
  });

  it('asks again only when what it has runs out', async () => {
    const speaker = new Speaker(source, ProofKey.generate(), () => nowMs);
    await Promise.all([speaker.sign(ended), speaker.id()]);
    nowMs += 269_000;
    await speaker.sign(ended);
    expect(audiences).toHaveLength(1);
    nowMs += 2_000;
    await speaker.sign(ended);
    expect(audiences).toHaveLength(2);
  });

  it('asks each time for a token that does not say how long it is good', async () => {
    const speaker = new Speaker(() => Promise.resolve(svid({ sub: EXECUTOR, aud: audiences.push('') })));
    await speaker.sign(ended);
    await speaker.sign(ended);
    expect(audiences).toHaveLength(2);
  });

  it('tries again where the source failed, and says what failed', async () => {
    const failure = new Error('no socket');
    const answers = [() => Promise.reject(failure), () => source('')];
    const speaker = new Speaker(() => answers.shift()!());
    await expect(speaker.id()).rejects.toMatchObject({ code: 'ERR_IDENTITY_UNAVAILABLE', cause: failure });
    await expect(speaker.id()).resolves.toBe(EXECUTOR);
  });

  it('speaks under the name of the catalogue where its token has another', async () => {
    const token = svid({ iss: 'https://kubernetes.example', sub: 'system:serviceaccount:shop:executor' });
    const speaker = new Speaker(Object.assign(() => Promise.resolve(token), { id: EXECUTOR }));
    expect(await speaker.id()).toBe(EXECUTOR);
    expect((await speaker.sign(ended)).headers).toMatchObject({ ce_source: EXECUTOR, 'mayfly-svid': token });
  });
});

describe('an identity in a file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'identity-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is read each time', async () => {
    const path = join(folder, 'token');
    const identity = fileIdentity(path, EXECUTOR);
    for (const jti of ['1', '2']) {
      await writeFile(path, `${svid({ jti })}\n`);
      expect(await identity('mayfly')).toBe(svid({ jti }));
    }
    expect(identity.id).toBe(EXECUTOR);
  });

  it.each(['', 'no token', `${'a'.repeat(16_385)}.b.c`])('is refused where it is %p', async (text) => {
    const path = join(folder, 'bad');
    await writeFile(path, text);
    await expect(fileIdentity(path)('mayfly')).rejects.toMatchObject({
      code: 'ERR_SVID_MALFORMED',
      fields: { path },
    });
  });
});

it('asks the Workload API for itself, with the audience of its key', async () => {
  const asked: unknown[] = [];
  const api = {
    fetchJwtSvid: (...request: [string, string?]) => {
      asked.push(request);
      return Promise.resolve({ id: EXECUTOR, svid: svid({ sub: EXECUTOR }) });
    },
  };
  const speaker = new Speaker(workloadIdentity(api, EXECUTOR));
  expect(await speaker.id()).toBe(EXECUTOR);
  expect(asked).toEqual([[`mayfly:jkt:${speaker.key.thumbprint}`, EXECUTOR]]);
});
