import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import {
  AGENT,
  APPENDED_AT_MS,
  ISSUER_JWK,
  ISSUER_KEY,
  KID,
  NOW_S,
  OTHER_KEY,
  keyObject,
  publicOf,
  token,
} from '../../test/fixtures.js';
import { startAgent, type Agent } from '../../test/workload-api-server.js';
import { verifyBearer } from '../bearer.js';
import { loadTrust } from '../trust.js';
import { WorkloadApi, workloadApiFrom } from './workload-api.js';

const PLANNER = 'spiffe://corp.example/agent/planner';
const svidOf = (id: string, audience: string | string[], key = ISSUER_KEY, kid = KID) =>
  token({ alg: 'ES256', kid }, { sub: id, aud: audience, iat: NOW_S, exp: NOW_S + 300 }, keyObject(key));
/** As SPIRE gives them: without `use`. */
const { use: _use, ...PLAIN_JWK } = ISSUER_JWK;

let folder: string;
let socket: string;
let agent: Agent;
let running: { stop: () => Promise<void> } | undefined;
let api: WorkloadApi;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-agent-'));
  socket = join(folder, 'agent.sock');
  agent = {
    svids: ({ audience, spiffe_id: id }) =>
      (id === '' ? [AGENT, PLANNER] : [id]).map((each) => ({
        spiffe_id: each,
        svid: svidOf(each, audience),
      })),
    bundles: () => ({ 'spiffe://corp.example': JSON.stringify({ keys: [PLAIN_JWK] }) }),
    validates: () => AGENT,
  };
  running = await startAgent(socket, {
    svids: (request) => agent.svids(request),
    bundles: () => agent.bundles(),
    validates: (request) => agent.validates(request),
  });
  api = workloadApiFrom({ SPIFFE_ENDPOINT_SOCKET: `unix://${socket}` });
});
afterEach(async () => {
  api.close();
  await running?.stop();
  await rm(folder, { recursive: true });
});
const failed = (fields: object = {}) => ({
  code: 'ERR_IDENTITY_FETCH_FAILED',
  fields: expect.objectContaining({ socket, ...fields }) as object,
});

describe('an SVID of our own', () => {
  it('is for the audience that was asked for, and of the identity that the agent puts first', async () => {
    const { id, svid } = await api.fetchJwtSvid('mayfly:jkt:abc');
    expect(id).toBe(AGENT);
    expect(svid.split('.')[1]).toBe(svidOf(AGENT, ['mayfly:jkt:abc']).split('.')[1]);
  });

  it('may be that of one identity among several', async () => {
    expect(await api.fetchJwtSvid('mayfly', PLANNER)).toMatchObject({ id: PLANNER });
  });

  it.each<[string, () => Agent['svids'] extends (q: never) => infer A ? A : never]>([
    ['none', () => []],
    ['one of another identity', () => [{ spiffe_id: PLANNER, svid: svidOf(PLANNER, 'mayfly') }]],
    ['one that is not of who it says', () => [{ spiffe_id: AGENT, svid: svidOf(PLANNER, 'mayfly') }]],
    ['one for another audience', () => [{ spiffe_id: AGENT, svid: svidOf(AGENT, 'payments') }]],
    ['one for two audiences', () => [{ spiffe_id: AGENT, svid: svidOf(AGENT, ['mayfly', 'payments']) }]],
    ['what is no token', () => [{ spiffe_id: AGENT, svid: 'secret' }]],
  ])('is not %s', async (_what, svids) => {
    agent.svids = svids;
    await expect(api.fetchJwtSvid('mayfly', AGENT)).rejects.toMatchObject(failed());
  });

  it('is not there for a process that the agent does not know', async () => {
    agent.svids = () => status.PERMISSION_DENIED;
    await expect(api.fetchJwtSvid('mayfly')).rejects.toMatchObject(failed({ status: 'PERMISSION_DENIED' }));
  });
});

describe('an agent that does not answer', () => {
  it('is said, with its socket', async () => {
    await running?.stop();
    const away = new WorkloadApi(join(folder, 'none.sock'));
    await expect(away.fetchJwtSvid('mayfly')).rejects.toMatchObject({ fields: { status: 'UNAVAILABLE' } });
    away.close();
  });

  it('is not waited for without end', async () => {
    const peers: Socket[] = [];
    const mute = createServer((peer) => peers.push(peer)).listen(join(folder, 'mute.sock'));
    const waiting = new WorkloadApi(join(folder, 'mute.sock'), 200);
    await expect(waiting.fetchJwtSvid('mayfly')).rejects.toMatchObject({
      fields: { status: 'DEADLINE_EXCEEDED' },
    });
    await expect(waiting.fetchJwtBundles()).rejects.toMatchObject({
      fields: { status: 'DEADLINE_EXCEEDED' },
    });
    waiting.close();
    peers.forEach((peer) => peer.destroy());
    mute.close();
  });
});

it('an SVID of somebody else is validated by the agent', async () => {
  expect(await api.validateJwtSvid('mayfly', svidOf(AGENT, 'mayfly'))).toBe(AGENT);
  agent.validates = () => status.INVALID_ARGUMENT;
  await expect(api.validateJwtSvid('mayfly', 'x')).rejects.toMatchObject(
    failed({ status: 'INVALID_ARGUMENT' }),
  );
});

describe('trust in a domain whose bundle the agent has', () => {
  const trusting = () =>
    loadTrust(
      [{ type: 'spiffe', trustDomain: 'corp.example', bundle: `unix://${socket}`, audience: 'mayfly' }],
      'production',
      { nowMs: () => APPENDED_AT_MS },
    );

  it('believes its keys, and the next ones', async () => {
    const trust = await trusting();
    expect(verifyBearer(svidOf(AGENT, 'mayfly'), trust, APPENDED_AT_MS)).toMatchObject({
      ok: true,
      id: AGENT,
    });

    const next = { ...publicOf(OTHER_KEY), kid: 'issuer-2027' };
    agent.bundles = () => ({ 'spiffe://corp.example': JSON.stringify({ keys: [next] }) });
    expect(await trust.refresh(APPENDED_AT_MS + 30_000)).toEqual([]);
    const svid = svidOf(AGENT, 'mayfly', OTHER_KEY, 'issuer-2027');
    expect(verifyBearer(svid, trust, APPENDED_AT_MS + 30_000)).toMatchObject({ ok: true, id: AGENT });
  });

  it('is not there where the agent has no such bundle, or gives none', async () => {
    agent.bundles = () => ({ 'spiffe://other.example': '{"keys":[]}' });
    await expect(trusting()).rejects.toMatchObject(failed({ trustDomain: 'corp.example' }));
    agent.bundles = () => status.PERMISSION_DENIED;
    await expect(trusting()).rejects.toMatchObject(failed({ status: 'PERMISSION_DENIED' }));
  });
});

it.each([undefined, '', 'tcp://127.0.0.1:8081', '/run/agent.sock', 'https://agent.example/'])(
  'the socket %j is none',
  (location) => {
    expect(() => workloadApiFrom({ SPIFFE_ENDPOINT_SOCKET: location })).toThrow(
      expect.objectContaining({ code: 'ERR_IDENTITY_ISSUER_INVALID' }),
    );
  },
);
