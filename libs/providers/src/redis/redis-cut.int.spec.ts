/** What an agent, a paused broker or a dead one can try against a cut at Redis. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Plan, RedisCredential } from '../provider.js';
import { openNodes, closeNodes } from './nodes.js';
import { FENCED_FOR_MS, pruneNode } from './prune.js';
import { describeRedis, type RedisClient } from './redis-servers.contract.js';
import { openRedisWorld, type RedisWorld } from './redis-world.contract.js';
import { createLog } from '#telemetry/log.js';

describeRedis('a cut at Redis', () => {
  let world: RedisWorld;
  beforeAll(async () => {
    world = await openRedisWorld('rpc');
  });
  afterAll(() => world.close());

  const CHANNEL = 'spec:rpc:news:1';
  const rights = [
    '~spec:rpc:orders:* +@read +@write +@list +@transaction +@blocking',
    '&spec:rpc:news:* +@pubsub',
  ];
  const plan = (change: Partial<Plan> = {}) => world.plan({ rights, ...change });
  const last = () => world.nodes.length - 1;
  /** What opens a connection is not counted: others may open meanwhile. */
  const commandsIn = (said: string): string[] =>
    [...said.matchAll(/^\*\d+\r\n\$\d+\r\n(\w+)/gm)]
      .map(([, name = '']) => name)
      .filter((name) => !['AUTH', 'CLIENT', 'INFO'].includes(name));
  const usersAt = async (node: number): Promise<string[]> =>
    (await world.admin(node)).sendCommand(['ACL', 'USERS']);
  const isThere = async (node: number, { principal }: Plan): Promise<boolean> =>
    (await usersAt(node)).includes(principal);
  const get = (session: RedisClient, key = 'orders:1') =>
    session.sendCommand(['GET', `${world.prefix}${key}`]);

  describe('a session that is open when its lease is cut', () => {
    const opened: [string, (session: RedisClient) => Promise<unknown>][] = [
      ['that waits for a list (BLPOP)', (session) => wait(session, ['BLPOP', 'spec:rpc:orders:queue', '0'])],
      [
        'that waits for a stream (XREAD)',
        (session) => wait(session, ['XREAD', 'BLOCK', '0', 'STREAMS', 'spec:rpc:orders:log', '$']),
      ],
      ['that listens to a channel', (session) => session.subscribe(CHANNEL, () => undefined)],
      ['that listens to a pattern', (session) => session.pSubscribe('spec:rpc:news:*', () => undefined)],
      ['in the middle of a transaction', (session) => session.sendCommand(['MULTI'])],
      ['that watches a key', (session) => session.sendCommand(['WATCH', 'spec:rpc:orders:1'])],
      ['that gave itself another name', (session) => session.sendCommand(['CLIENT', 'SETNAME', 'somebody'])],
    ];
    const wait = (session: RedisClient, command: string[]) => {
      session.sendCommand(command).catch(() => undefined);
      return sleep(30);
    };

    it.each(opened)('dies %s', async (_what, prepare) => {
      const wanted = plan();
      const session = await world.client(await world.created(wanted));
      const dead = new Promise((resolve) => session.once('error', resolve));
      await prepare(session);

      const report = await world.revoker.cut(wanted);

      expect(report).toMatchObject({
        sessionsEnded: 1,
        observation: { state: 'disabled', sessions: 0 },
      });
      await dead;
      await expect(get(session)).rejects.toThrow();
      expect(await world.revoker.clean(wanted)).toMatchObject({ state: 'absent', sessions: 0 });
    });

    it('dies with all its siblings, on every node', async () => {
      const wanted = plan();
      const credential = await world.created(wanted);
      const sessions = await Promise.all(
        [0, 0, 0, ...(last() > 0 ? [last(), last()] : [])].map((node) => world.client(credential, node)),
      );
      expect((await world.revoker.observe(wanted)).sessions).toBe(sessions.length);

      const report = await world.revoker.cut(wanted);

      expect(report).toMatchObject({
        sessionsEnded: sessions.length,
        observation: { state: 'disabled', nodes: { seen: world.nodes.length, expected: world.nodes.length } },
      });
      for (const session of sessions) await expect(get(session)).rejects.toThrow();
    });

    it('is not outrun by a dozen that log in again and again, on every node', async () => {
      for (let round = 0; round < 2; round++) {
        const wanted = plan();
        const credential = await world.created(wanted);
        const loop = keepLoggingIn(credential);
        await loop.under();
        await world.revoker.cut(wanted);
        loop.isCut();
        await sleep(50);
        expect(loop.loginsAfterwards()).toBe(0);
        expect(await world.revoker.observe(wanted)).toMatchObject({ state: 'disabled', sessions: 0 });
        await loop.stop();
      }
    });

    function keepLoggingIn(credential: RedisCredential) {
      let [logins, loginsAfterwards, isCut, stopped] = [0, 0, false, false];
      const loop = async (node: number) => {
        while (!stopped) {
          const isBegunAfterwards = isCut;
          try {
            const session = await world.client(credential, node);
            await get(session);
            logins += 1;
            if (isBegunAfterwards) loginsAfterwards += 1;
            session.destroy();
          } catch {
            await sleep(1);
          }
        }
      };
      const loops = Array.from({ length: 12 }, (_, i) => loop(i % world.nodes.length));
      return {
        isCut: () => (isCut = true),
        loginsAfterwards: () => loginsAfterwards,
        under: async () => {
          while (logins < 12) await sleep(1);
        },
        stop: async () => {
          stopped = true;
          await Promise.all(loops);
        },
      };
    }
  });

  describe('a create', () => {
    it('is one command to each node, with the hash of the secret and never the secret', async () => {
      const doors = await Promise.all(world.nodes.map((_, node) => world.door(node)));
      const broker = world.open('broker', { nodes: doors.map(({ place }) => place) });
      const wanted = plan();
      await broker.renew(wanted, wanted.notAfter);
      const before = doors.map(({ said }) => said.length);

      const answer = await broker.create(wanted);

      if (answer.answer !== 'created' || answer.credential.kind !== 'redis') throw new Error('not created');
      const secret = answer.credential.connection.password.reveal();
      for (const [node, door] of doors.entries()) {
        const said = door.said.slice(before[node]);
        expect(commandsIn(said)).toEqual(['ACL']);
        expect(said).toContain(`#${createHash('sha256').update(secret).digest('hex')}`);
        expect(door.said).not.toContain(secret);
      }
      expect(world.logged.join('')).not.toContain(secret);
    });

    it('is sent once, though its answer never comes, and is cut', async () => {
      const door = await world.door();
      const broker = world.open('broker', { nodes: [door.place, ...world.nodes.slice(1)] });
      const wanted = plan();
      await broker.renew(wanted, wanted.notAfter);
      door.swallow();

      expect(await broker.create(wanted)).toEqual({ answer: 'none', code: 'ERR_TARGET_UNREACHABLE' });

      await sleep(300);
      expect(door.said.split('SETUSER')).toHaveLength(2);
      expect((await world.revoker.observe(wanted)).state).toBe('live');
      expect((await world.revoker.cut(wanted)).observation).toMatchObject({ state: 'disabled' });
    });

    it('makes nothing when it lands after its sender is gone and its lease is cut, on whichever node', async () => {
      for (const node of world.nodes.keys()) {
        const door = await world.door(node);
        const places = world.nodes.map((place, i) => (i === node ? door.place : place));
        const broker = world.open('broker', { nodes: places });
        const wanted = plan();
        await broker.renew(wanted, wanted.notAfter);
        const waits = door.hold('SETUSER');
        const answer = broker.create(wanted);
        await waits;
        expect(await answer).toMatchObject({ answer: 'none' });

        const report = await world.revoker.cut(wanted);
        door.release();
        await sleep(100);

        expect(report.emptyObservations).toBeGreaterThanOrEqual(2);
        expect((await world.revoker.observe(wanted)).state).not.toBe('live');
        expect((await world.revoker.clean(wanted)).state).toBe('absent');
      }
    });

    it('that one node refuses is lent to nobody, and is cut where it was made', async () => {
      if (last() === 0) return;
      const wanted = plan();
      await (await world.admin(last())).sendCommand(['ACL', 'SETUSER', wanted.principal, 'allchannels']);

      expect((await world.broker.create(wanted)).answer).toBe('none');
      expect((await world.revoker.observe(wanted)).state).toBe('live');
      expect((await world.revoker.cut(wanted)).observation.state).toBe('disabled');
    });

    it('is refused where a right names a command that the server does not have', async () => {
      const wanted = plan({ rights: ['~spec:rpc:orders:* +nosuchcommand'] });
      expect(await world.broker.create(wanted)).toEqual({
        answer: 'refused',
        code: 'ERR_TARGET_MISCONFIGURED',
      });
      expect(await isThere(0, wanted)).toBe(false);
    });

    it('of a lease that was asked for long ago is not sent', async () => {
      const wanted = plan({ createBy: new Date(Date.now() + 120_000).toISOString() });
      expect(await world.broker.create(wanted)).toEqual({ answer: 'refused', code: 'ERR_PLAN_INVALID' });
    });
  });

  it('takes a thousand users, lists them, cuts and cleans them', async () => {
    const wanted = Array.from({ length: 1_000 }, () => plan());
    const made = await Promise.all(wanted.map((each) => world.broker.create(each)));
    expect(new Set(made.map(({ answer }) => answer))).toEqual(new Set(['created']));
    const listed = new Set<string>();
    for await (const { leaseId } of world.revoker.list()) listed.add(leaseId);
    expect(wanted.every(({ leaseId }) => listed.has(leaseId))).toBe(true);

    const reports = await Promise.all(wanted.map((each) => world.revoker.cut(each)));

    expect(new Set(reports.map(({ observation }) => observation.state))).toEqual(new Set(['disabled']));
    const cleaned = await Promise.all(wanted.map((each) => world.revoker.clean(each)));
    expect(new Set(cleaned.map(({ state }) => state))).toEqual(new Set(['absent']));
    const left = new Set<string>();
    for await (const { leaseId } of world.revoker.list()) left.add(leaseId);
    expect(wanted.some(({ leaseId }) => left.has(leaseId))).toBe(false);
  }, 180_000);

  describe('a fence', () => {
    it('lets nobody in, and is nobody’s', async () => {
      const wanted = plan();
      const credential = await world.created(wanted);
      await world.revoker.cut(wanted);
      await world.revoker.clean(wanted);

      expect(await isThere(0, wanted)).toBe(true);
      await expect(world.client(credential)).rejects.toThrow('WRONGPASS');
      const listed: string[] = [];
      for await (const { leaseId } of world.revoker.list()) listed.push(leaseId);
      expect(listed).not.toContain(wanted.leaseId);
    });

    it('goes when nothing of its lease can come any more, and what is alive stays', async () => {
      const [fenced, alive] = [plan(), plan()];
      await world.revoker.cut(fenced);
      await world.created(alive);
      const nodes = openNodes(world.settings('revoker'), createLog('spec', { level: 'silent' }));
      const inTime = Date.now() + FENCED_FOR_MS - 60_000;

      await pruneNode(nodes[0]!, 'rpc', inTime);
      expect(await isThere(0, fenced)).toBe(true);
      expect(await pruneNode(nodes[0]!, 'rpc', inTime + 120_000)).toBeGreaterThanOrEqual(1);

      expect(await isThere(0, fenced)).toBe(false);
      expect(await isThere(0, alive)).toBe(true);
      await closeNodes(nodes);
    });
  });
});
