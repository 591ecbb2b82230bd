/** Nodes that stand still, start anew, keep what they should not, or are not what they were said to be. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../../scripts/servers/redis.mjs';
import type { CredentialProvider } from '../provider.js';
import { describeOwnRedis, openServers, untilOld } from './redis-servers.contract.js';
import { openRedisWorld, type RedisWorld } from './redis-world.contract.js';

const listed = async (provider: CredentialProvider): Promise<string[]> => {
  const leases: string[] = [];
  for await (const { leaseId } of provider.list()) leases.push(leaseId);
  return leases;
};

describeOwnRedis('a node that stands still', () => {
  let world: RedisWorld;
  beforeAll(async () => {
    world = await openRedisWorld('rps');
  });
  afterAll(() => world.close());
  const pause = (node: number) => world.servers.running[node]?.child.kill('SIGSTOP');
  const wake = (node: number) => world.servers.running[node]?.child.kill('SIGCONT');

  it('keeps a cut from being proven, and no other node from being cut; then it is', async () => {
    const wanted = world.plan();
    const credential = await world.created(wanted);
    const session = await world.client(credential);
    const stray = await world.client(credential, 1);
    pause(1);

    const report = await world.revoker.cut(wanted);

    expect(report).toMatchObject({
      sessionsEnded: 1,
      emptyObservations: 0,
      observation: { state: 'unknown', sessions: null, nodes: { seen: 1, expected: 2 } },
    });
    await expect(session.sendCommand(['PING'])).rejects.toThrow();
    expect((await world.revoker.observe(wanted)).state).toBe('unknown');
    await expect(listed(world.revoker)).rejects.toMatchObject({ code: 'ERR_TARGET_UNREACHABLE' });

    wake(1);
    const again = await world.revoker.cut(wanted);
    expect(again.observation).toMatchObject({ state: 'disabled', nodes: { seen: 2, expected: 2 } });
    await expect(stray.sendCommand(['PING'])).rejects.toThrow();
  });

  it('keeps anything from being lent', async () => {
    pause(1);
    const wanted = world.plan();
    const broker = world.open('broker');

    expect(await broker.create(wanted)).toEqual({ answer: 'none', code: 'ERR_TARGET_UNREACHABLE' });

    wake(1);
    expect((await world.revoker.observe(wanted)).state).toBe('absent');
  });
});

describeOwnRedis('a node that starts anew', () => {
  let world: RedisWorld;
  beforeAll(async () => {
    world = await openRedisWorld('rpr');
  });
  afterAll(() => world.close());

  it('has forgotten its users: the others still have them, and all are cut', async () => {
    const wanted = world.plan();
    const credential = await world.created(wanted);
    const before = await world.revoker.observe(wanted);
    await world.servers.restart(0);
    await world.prepare(0);

    await expect(world.client(credential)).rejects.toThrow('WRONGPASS');
    const after = await world.revoker.observe(wanted);
    expect(after).toMatchObject({ state: 'live', nodes: { seen: 2 } });
    expect(after.incarnation).not.toBe(before.incarnation);
    expect(await listed(world.revoker)).toContain(wanted.leaseId);
    expect(await world.broker.renew(wanted, wanted.notAfter)).toEqual({
      answer: 'refused',
      code: 'ERR_LEASE_FENCED',
    });

    expect((await world.revoker.cut(wanted)).observation).toMatchObject({ state: 'disabled', sessions: 0 });
    expect((await world.revoker.clean(wanted)).state).toBe('absent');
  });

  it('has forgotten its fences too, so it makes nothing that was asked for before', async () => {
    const wanted = world.plan();
    await world.revoker.cut(wanted);
    for (const node of world.nodes.keys()) {
      await world.servers.restart(node);
      await world.prepare(node);
    }

    expect(await world.broker.create(wanted)).toEqual({ answer: 'refused', code: 'ERR_TARGET_RESTARTED' });
    expect((await world.revoker.observe(wanted)).state).toBe('absent');

    await untilOld();
    await world.created(world.plan());
  });
});

describeOwnRedis('a server that would keep our users', () => {
  it('in a file of its own is lent to nobody, unless an operator says that nobody saves it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mayfly-redis-acl-'));
    const file = join(folder, 'users.acl');
    writeFileSync(file, 'user default on >spec-administrator ~* &* +@all\n');
    const servers = await openServers({ user: [], aclfile: `"${file}"` }, 1);
    const world = await openRedisWorld('rpf', servers);

    expect(await world.broker.create(world.plan())).toEqual({
      answer: 'refused',
      code: 'ERR_TARGET_MISCONFIGURED',
    });
    expect(world.logged.join('')).toContain('server keeps its users in a file');

    const broker = world.open('broker', { aclFile: 'static' });
    const wanted = world.plan();
    expect((await broker.create(wanted)).answer).toBe('created');
    // With a file of users, CONFIG REWRITE leaves them out of redis.conf.
    await (await world.admin()).sendCommand(['CONFIG', 'REWRITE']);
    await world.servers.restart(0);
    expect(readFileSync(file, 'utf8')).not.toContain(wanted.principal);
    await world.prepare(0);
    expect((await world.revoker.observe(wanted)).state).toBe('absent');
    await world.close();
    rmSync(folder, { recursive: true });
  });

  it('in redis.conf (CONFIG REWRITE) brings a cut user back when it starts, and it is found and cut', async () => {
    const world = await openRedisWorld('rpw', await openServers({}, 1));
    const wanted = world.plan();
    const credential = await world.created(wanted);
    await (await world.admin()).sendCommand(['CONFIG', 'REWRITE']);
    await world.revoker.cut(wanted);
    await world.revoker.clean(wanted);
    await world.servers.restart(0);

    const session = await world.client(credential);
    expect(await listed(world.revoker)).toContain(wanted.leaseId);
    expect((await world.revoker.cut(wanted)).observation).toMatchObject({ state: 'disabled', sessions: 0 });
    await expect(session.sendCommand(['PING'])).rejects.toThrow();
    await world.close();
  });
});

describeOwnRedis('a target that is not what it was said to be', () => {
  let world: RedisWorld;
  let tls: Awaited<ReturnType<typeof tlsFiles>>;
  beforeAll(async () => {
    tls = await tlsFiles();
    world = await openRedisWorld('rpm', await openServers(tls.settings, 1));
  });
  afterAll(async () => {
    await world.close();
    tls.remove();
  });

  it('has one server at two addresses: nothing is lent, and nothing is proven', async () => {
    const [{ host, port }] = world.nodes as [{ host: string; port: number }];
    const door = await world.door();
    const nodes = [{ host, port }, door.place];
    const wanted = world.plan();

    expect(await world.open('broker', { nodes }).create(wanted)).toEqual({
      answer: 'refused',
      code: 'ERR_TARGET_MISCONFIGURED',
    });
    expect((await world.open('revoker', { nodes }).cut(wanted)).observation).toMatchObject({
      state: 'unknown',
      nodes: { seen: 1, expected: 2 },
    });
  });

  it('takes another password', async () => {
    const login = { user: 'mayfly-broker-rpm', password: 'another' };
    const stranger = world.open('broker', { login });
    expect(await stranger.create(world.plan())).toEqual({
      answer: 'refused',
      code: 'ERR_TARGET_MISCONFIGURED',
    });
    await expect(stranger.cut(world.plan())).rejects.toMatchObject({ code: 'ERR_TARGET_MISCONFIGURED' });
    expect(await stranger.observe(world.plan())).toMatchObject({ state: 'unknown' });
  });

  it('lacks a right', async () => {
    const wanted = world.plan();
    const credential = await world.created(wanted);
    await (await world.admin()).sendCommand(['ACL', 'SETUSER', 'mayfly-revoker-rpm', '-client|kill']);
    await expect(world.revoker.cut(wanted)).rejects.toMatchObject({ code: 'ERR_TARGET_MISCONFIGURED' });
    // Nothing is proven, and yet the login is taken.
    await expect(world.client(credential)).rejects.toThrow('WRONGPASS');
    await (await world.admin()).sendCommand(['ACL', 'SETUSER', 'mayfly-revoker-rpm', '+client|kill']);
    expect((await world.revoker.cut(wanted)).observation.state).toBe('disabled');
  });

  it('gives every channel to a new user', async () => {
    const admin = await world.admin();
    await admin.sendCommand(['CONFIG', 'SET', 'acl-pubsub-default', 'allchannels']);
    expect(await world.open('broker').create(world.plan())).toMatchObject({
      code: 'ERR_TARGET_MISCONFIGURED',
    });
    await admin.sendCommand(['CONFIG', 'SET', 'acl-pubsub-default', 'resetchannels']);
  });

  it('speaks TLS with a certificate of its own: only who knows it connects', async () => {
    const nodes = [{ host: '127.0.0.1', port: tls.settings['tls-port'] }];
    const { ca } = tls;
    const trusting = world.open('broker', { nodes, tls: { mode: 'verify-full', ca } });
    const answer = await trusting.create(world.plan());
    expect(answer).toMatchObject({ answer: 'created', credential: { connection: { tls: { ca } } } });

    const stranger = world.open('broker', { nodes, tls: { mode: 'verify-full' } });
    expect(await stranger.create(world.plan())).toEqual({ answer: 'none', code: 'ERR_TARGET_UNREACHABLE' });
  });
});

/** A certificate for 127.0.0.1 that signs itself. */
async function tlsFiles() {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-redis-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-subj', '/CN=redis.spec', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
    ],
    { stdio: 'ignore' },
  );
  const port = await freePort();
  const settings = {
    ...{ 'tls-port': port, 'tls-cert-file': `"${cert}"`, 'tls-key-file': `"${key}"` },
    ...{ 'tls-ca-cert-file': `"${cert}"`, 'tls-auth-clients': 'no' },
  };
  return {
    settings,
    ca: readFileSync(cert, 'utf8'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
