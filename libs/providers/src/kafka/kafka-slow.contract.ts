/** A target that answers slowly, half, or not at all: what is said of it, and what is sent. */
import { ORDERS, type SampleKafka } from './sample-kafka.contract.js';

export function describeSlowTarget(kafka: () => SampleKafka): void {
  describe('through a network that does what networks do', () => {
    afterEach(async () => {
      const { proxy } = kafka().target;
      proxy.disarm();
      proxy.delay(0);
      await proxy.refuse(false);
    });
    const behindProxy = () => kafka().open({ brokers: kafka().target.proxied });

    it('a target that is slow is waited for', async () => {
      const { agent, created, plan, revoker, target } = kafka();
      const slow = behindProxy();
      target.proxy.delay(60);
      const wanted = plan();

      const { connection } = await created(wanted, slow);

      expect(connection.brokers).toEqual([target.proxied]);
      target.proxy.delay(0);
      await agent({ kind: 'kafka', connection }).produce(ORDERS);
      await revoker.cut(wanted);
    });

    /** In a look, and then in the message that makes the credential: a name with its length in front (31 of 30, COMPACT_STRING). */
    const credentialOf = (principal: string) => `\x1f${principal}`;
    it.each([
      ['of the ACLs', 1, () => ORDERS],
      ['of the credential', 2, credentialOf],
    ] as const)('a create whose answer %s is lost is not answered, and is sent once', async (_what, nth, textOf) => {
      const { plan, revoker, target } = kafka();
      const wanted = plan();
      const provider = behindProxy();
      const sprung = target.proxy.trap({ text: textOf(wanted.principal), nth, how: 'answer_swallowed' });

      const answer = provider.create(wanted);
      await sprung;
      // Whatever names it again would be a second message.
      const again = target.proxy.trap({ text: wanted.principal, nth: 1, how: 'answer_cut' });
      expect(await answer).toEqual({ answer: 'none', code: 'ERR_TARGET_UNREACHABLE' });

      expect(await Promise.race([again.then(() => 'sent again'), Promise.resolve('quiet')])).toBe('quiet');
      expect((await revoker.observe(wanted)).state).toBe('live');
      expect((await revoker.cut(wanted)).observation.state).toBe('absent');
      expect(await provider.create(wanted)).toEqual({ answer: 'refused', code: 'ERR_PRINCIPAL_EXISTS' });
    });

    it('without the answer of the ACLs no credential is ever sent', async () => {
      const { plan, revoker, target } = kafka();
      const wanted = plan();
      const sprung = target.proxy.trap({ text: ORDERS, nth: 1, how: 'answer_cut' });

      const answer = await behindProxy().create(wanted);
      await sprung;

      expect(answer.answer).toBe('none');
      expect(await kafka().administrator.hasCredential(wanted.principal)).toBe(false);
      await revoker.cut(wanted);
    });

    it('a cut that got half through says so, and is done by the next', async () => {
      const { agent, created, plan, target } = kafka();
      const wanted = plan();
      const credential = await created(wanted);
      const revoker = kafka().open({ brokers: target.proxied, user: 'mayfly_revoker' });
      const sprung = target.proxy.trap({ text: wanted.principal, nth: 1, how: 'request_cut' });

      await expect(revoker.cut(wanted)).rejects.toMatchObject({ code: 'ERR_TARGET_UNREACHABLE' });
      await sprung;

      expect((await revoker.cut(wanted)).observation.state).toBe('absent');
      await expect(agent(credential).login()).rejects.toThrow();
    });

    it('a target that is away is unknown, and is there again when it comes back', async () => {
      const { created, plan, target } = kafka();
      const wanted = plan();
      const provider = behindProxy();
      await created(wanted, provider);

      await target.proxy.refuse(true);

      expect(await provider.observe(wanted)).toMatchObject({ state: 'unknown', sessions: null });
      await expect(provider.cut(wanted)).rejects.toMatchObject({ code: 'ERR_TARGET_UNREACHABLE' });
      await target.proxy.refuse(false);
      expect((await provider.cut(wanted)).observation.state).toBe('absent');
    });
  });
}
