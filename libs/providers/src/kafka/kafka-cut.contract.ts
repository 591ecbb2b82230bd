/** What an agent can try against a cut on Kafka, and what becomes of many at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ARCHIVE, ORDERS, type SampleKafka } from './sample-kafka.contract.js';

export function describeCut(kafka: () => SampleKafka): void {
  const lend = async (...rights: string[]) => {
    const { agent, created, plan } = kafka();
    const wanted = plan({ rights });
    const credential = await created(wanted);
    return { wanted, credential, agent: agent(credential) };
  };

  describe('a session that is open when its lease is cut', () => {
    it('writes nothing any more', async () => {
      const { wanted, agent } = await lend(`write:topic:${ORDERS}`);
      await agent.produce(ORDERS);

      const report = await kafka().revoker.cut(wanted);

      expect(report).toMatchObject({ observation: { state: 'absent' }, emptyObservations: 2 });
      await expect(agent.produce(ORDERS)).rejects.toThrow(/authoriz/i);
    });

    it('loses its rights before its login is taken, so that nothing waits for it to log in again', async () => {
      const { administrator, revoker } = kafka();
      const { wanted, agent } = await lend(`write:topic:${ORDERS}`);
      await agent.produce(ORDERS);

      await administrator.removeAcls(wanted.principal);

      // The credential is there, and the session too; what is gone is what it could do.
      await expect(agent.produce(ORDERS)).rejects.toThrow(/authoriz/i);
      expect((await revoker.observe(wanted)).state).toBe('disabled');
    });

    it('reads nothing that is written afterwards', async () => {
      const { administrator } = kafka();
      const writer = await lend(`write:topic:${ARCHIVE}`);
      await writer.agent.produce(ARCHIVE, 'before');
      const { wanted, agent } = await lend(`read:topic:${ARCHIVE}`, 'own-groups');
      const read: string[] = [];
      await agent.follow(ARCHIVE, agent.ownGroup, (value) => read.push(value)).first;

      await kafka().revoker.cut(wanted);
      // A fetch that was let in before the cut is answered by the first of these, unless its wait is over before.
      await writer.agent.produce(ARCHIVE, 'meanwhile');
      await writer.agent.produce(ARCHIVE, 'after');
      await sleep(500);

      expect(read).toContain('before');
      expect(read).not.toContain('after');
      expect(await administrator.end(ARCHIVE)).toBeGreaterThan(1);
    });

    it('is answered the one fetch that waited already, and no other', async () => {
      const { administrator, revoker } = kafka();
      const { wanted, agent } = await lend(`read:topic:${ARCHIVE}`, 'own-groups');
      const read: string[] = [];
      let readBeforeFetch = 0;
      const onFetch = () => (readBeforeFetch = read.length);
      await agent.follow(ARCHIVE, agent.ownGroup, (value) => read.push(value), 20_000, onFetch).first;
      while ((await administrator.end(ARCHIVE)) > readBeforeFetch) await sleep(20);
      // It has asked for more, and that reaches the broker.
      await sleep(500);

      await revoker.cut(wanted);

      const before = read.length;
      await administrator.produce(ARCHIVE, 'one');
      while (read.length === before) await sleep(20);
      for (const value of ['two', 'three']) {
        await administrator.produce(ARCHIVE, value);
        await sleep(200);
      }
      expect(read.slice(before)).toEqual(['one']);
    });

    it('ends where a client keeps logging in and writing on several connections', async () => {
      const { wanted, credential } = await lend(`write:topic:${ORDERS}`);
      const clients = [1, 2, 3, 4].map(() => keepWriting(kafka(), credential));
      try {
        await Promise.all(clients.map(({ first }) => first));

        const report = await kafka().revoker.cut(wanted);

        expect(report.emptyObservations).toBe(2);
        const writtenAtProof = await kafka().administrator.end(ORDERS);
        await sleep(300);
        expect(await kafka().administrator.end(ORDERS)).toBe(writtenAtProof);
      } finally {
        for (const client of clients) await client.stop();
      }
    });
  });

  describe('a principal made by another mechanism than the present one', () => {
    it('is cut all the same', async () => {
      const { agent, created, open, plan, revoker } = kafka();
      const wanted = plan();
      const credential = await created(wanted, open({ scram: 'scram-sha-256' }));

      expect((await revoker.cut(wanted)).observation.state).toBe('absent');

      await expect(agent(credential).login()).rejects.toThrow();
    });
  });

  describe('what a create left half done', () => {
    it('is listed, is nobody’s to use, and is cut', async () => {
      const { administrator, plan, revoker } = kafka();
      const [acls, login] = [plan(), plan()];
      const binding = { resourceType: 2, resourceName: ORDERS, resourcePatternType: 3, operation: 4 };
      await administrator.allow(acls.principal, [binding]);
      await administrator.createUser(login.principal, 'nobody knows');
      const listed: string[] = [];
      for await (const { leaseId } of revoker.list()) listed.push(leaseId);
      expect(listed).toEqual(expect.arrayContaining([acls.leaseId, login.leaseId]));
      expect((await revoker.observe(login)).state).toBe('disabled');

      for (const half of [acls, login]) expect((await revoker.cut(half)).observation.state).toBe('absent');
    });

    it('is cleaned where a login without rights landed after its proof', async () => {
      const { administrator, plan, revoker } = kafka();
      const wanted = plan();
      await administrator.createUser(wanted.principal, 'nobody knows');

      expect((await revoker.clean(wanted)).state).toBe('absent');
    });
  });
}

/** Logs in anew for each record, until it is told to stop. */
function keepWriting({ agent }: SampleKafka, credential: Parameters<SampleKafka['agent']>[0]) {
  let goesOn = true;
  let firstDone = () => {};
  const first = new Promise<void>((resolve) => (firstDone = resolve));
  const loop = async () => {
    while (goesOn) {
      const client = agent(credential);
      await client.produce(ORDERS).then(firstDone, () => sleep(5));
      await client.close();
    }
  };
  const done = loop();
  return {
    first,
    stop: async () => {
      goesOn = false;
      await done;
    },
  };
}
