/** Rights exactly as planned: for each, something that it permits and what lies next to it. */
import { ARCHIVE, ORDERS, SALARIES, type SampleKafka } from './sample-kafka.contract.js';

export function describeRights(kafka: () => SampleKafka): void {
  const lent = async (...rights: string[]) => {
    const { agent, created, plan } = kafka();
    return agent(await created(plan({ rights })));
  };

  describe('what is lent', () => {
    it('by name is written to by that name alone', async () => {
      const agent = await lent(`write:topic:${ORDERS}`);

      await agent.produce(ORDERS);

      for (const other of [ARCHIVE, SALARIES]) await expect(agent.produce(other)).rejects.toThrow(/authoriz/i);
    });

    it('by prefix is written to by every name that begins so', async () => {
      const agent = await lent('write:topics:spec.');

      await agent.produce(ORDERS);
      await agent.produce(ARCHIVE);

      await expect(agent.produce(SALARIES)).rejects.toThrow(/authoriz/i);
    });

    it('to be written is not read', async () => {
      const agent = await lent(`write:topic:${ORDERS}`, 'own-groups');
      await agent.produce(ORDERS);

      await expect(agent.read(ORDERS)).rejects.toThrow(/authoriz/i);
    });

    it('to be read is read in groups of its own, and in no others', async () => {
      const writer = await lent(`write:topic:${ARCHIVE}`);
      await writer.produce(ARCHIVE);
      const reader = await lent(`read:topic:${ARCHIVE}`, 'own-groups');

      await reader.read(ARCHIVE);

      await expect(reader.read(ARCHIVE, 'billing')).rejects.toThrow(/authoriz/i);
      await expect(reader.read(SALARIES)).rejects.toThrow(/authoriz/i);
      await expect(reader.produce(ARCHIVE)).rejects.toThrow(/authoriz/i);
    });

    it('as a group may be read in by that name, or that prefix', async () => {
      const named = await lent(`read:topic:${ARCHIVE}`, 'read:group:billing');
      await named.read(ARCHIVE, 'billing');
      await expect(named.read(ARCHIVE, 'billing-2')).rejects.toThrow(/authoriz/i);

      const prefixed = await lent(`read:topics:spec.`, 'read:groups:bill');
      await prefixed.read(ARCHIVE, 'billing-2');
      await expect(prefixed.read(ARCHIVE, prefixed.ownGroup)).rejects.toThrow(/authoriz/i);
    });

    it('makes no topic and no further user', async () => {
      const agent = await lent('write:topics:spec.');

      await expect(agent.produce('spec.new')).rejects.toThrow();
    });
  });

  describe('a principal', () => {
    it('logs in by the mechanism of the target', async () => {
      const { agent, created, open, plan } = kafka();
      const credential = await created(plan(), open({ scram: 'scram-sha-256' }));
      expect(credential.connection.mechanism).toBe('scram-sha-256');

      await agent(credential).produce(ORDERS);
    });

    it('of another Mayfly, or of nobody, is not listed', async () => {
      const { administrator, created, plan, revoker } = kafka();
      const own = plan();
      await created(own);
      await administrator.createLogin('kspx01jdba979ffgrrp7jf18p6tzm8', 'another');
      const listed: string[] = [];
      for await (const { principal } of revoker.list()) listed.push(principal);

      expect(listed).toContain(own.principal);
      expect(listed.filter((name) => !name.startsWith('kspk'))).toEqual([]);
    });

    it('is refused where the name has anything already, and what it has is left as it is', async () => {
      const { administrator, broker, plan, revoker } = kafka();
      const [withPassword, withAcls] = [plan(), plan()];
      await administrator.createLogin(withPassword.principal, 'by hand');
      await administrator.allow(withAcls.principal, [
        { resourceType: 2, resourceName: SALARIES, resourcePatternType: 3, operation: 3 },
      ]);

      for (const taken of [withPassword, withAcls]) {
        expect(await broker.create(taken)).toEqual({ answer: 'refused', code: 'ERR_PRINCIPAL_EXISTS' });
        expect((await revoker.observe(taken)).state).toBe('live');
        await revoker.cut(taken);
      }
    });

    it('is refused to a login that may not alter the cluster, or is none', async () => {
      const { administrator, open, plan } = kafka();
      const misconfigured = { answer: 'refused', code: 'ERR_TARGET_MISCONFIGURED' };
      await administrator.createUser('onlooker', 'wrong');

      expect(await open({ user: 'onlooker' }).create(plan())).toEqual(misconfigured);
      expect(await open({ user: 'stranger' }).create(plan())).toEqual(misconfigured);
    });
  });

  it('no secret is logged', async () => {
    const { created, logged, plan } = kafka();
    const { connection } = await created(plan());

    expect(logged.join('')).not.toContain(connection.password.reveal());
  });
}
