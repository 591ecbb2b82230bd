/** Who is made, who is refused, and what is left alone. */
import { ORDERS, SALARIES, type SampleKafka } from './sample-kafka.contract.js';

export function describePrincipals(kafka: () => SampleKafka): void {
  describe('a principal', () => {
    it('logs in by the mechanism of the target', async () => {
      const { agent, created, open, plan } = kafka();
      const credential = await created(plan(), open({ scram: 'scram-sha-256' }));
      expect(credential.connection.mechanism).toBe('scram-sha-256');

      await agent(credential).produce(ORDERS);
    });

    it('is made, used and cut by TLS, where the certificate is one that is trusted', async () => {
      const { agent, created, open, plan, target } = kafka();
      const { address: brokers, ca } = target.tls;
      const wanted = plan();
      const provider = open({ brokers, ca });

      const credential = await created(wanted, provider);

      expect(credential.connection).toMatchObject({ brokers: [brokers], tls: { mode: 'verify-full', ca } });
      await agent(credential).produce(ORDERS);
      expect((await provider.cut(wanted)).observation.state).toBe('absent');
      const unreachable = { answer: 'none', code: 'ERR_TARGET_UNREACHABLE' };
      expect(await open({ brokers, ca: ANOTHER_CA }).create(plan())).toEqual(unreachable);
    });

    it('of another Mayfly, or of nobody, is not listed', async () => {
      const { administrator, created, plan, revoker } = kafka();
      const own = plan();
      await created(own);
      await administrator.createUser('kspx01jdba979ffgrrp7jf18p6tzm8', 'another');
      await administrator.createUser('kspk-by-hand', 'by hand');
      const listed: string[] = [];
      for await (const { principal } of revoker.list()) listed.push(principal);

      expect(listed).toContain(own.principal);
      expect(listed.filter((name) => name === 'kspk-by-hand' || name.startsWith('kspx'))).toEqual([]);
    });

    it('gets no login where its name has anything already', async () => {
      const { administrator, broker, plan, revoker } = kafka();
      const [withPassword, withAcls] = [plan(), plan()];
      await administrator.createUser(withPassword.principal, 'by hand');
      await administrator.allow(withAcls.principal, [
        { resourceType: 2, resourceName: SALARIES, resourcePatternType: 3, operation: 3 },
      ]);

      for (const taken of [withPassword, withAcls])
        expect(await broker.create(taken)).toEqual({ answer: 'refused', code: 'ERR_PRINCIPAL_EXISTS' });

      expect(await administrator.hasCredential(withAcls.principal)).toBe(false);
      for (const taken of [withPassword, withAcls]) await revoker.cut(taken);
    });

    it('is refused to a login that may not alter the cluster, and to one that is none', async () => {
      const { administrator, open, plan } = kafka();
      const misconfigured = { answer: 'refused', code: 'ERR_TARGET_MISCONFIGURED' };
      await administrator.createUser('onlooker', 'wrong');

      expect(await open({ user: 'onlooker' }).create(plan())).toEqual(misconfigured);
      expect(await open({ user: 'stranger' }).create(plan())).toEqual(misconfigured);
    });
  });

  it('a secret is in no line of the log', async () => {
    const { created, logged, plan } = kafka();
    const { connection } = await created(plan());

    expect(logged.join('')).not.toContain(connection.password.reveal());
  });
}

/** Of nobody: as in `libs/bus/src/kafka/kafka-settings.spec.ts`. */
const ANOTHER_CA = `-----BEGIN CERTIFICATE-----
MIIBdDCCARugAwIBAgIUEiopzJ0XnnsTlfBIc39dpuvyG2YwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjUwMTAzMzVaGA8yMTI2MTEwMTAxMDMz
NVowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBD2
CZtXdp5/0Cg3PMoLvPTG0/Fu/6ObX9nEz9XSRBxSd7w+1+uV9cAHJbm3UTollHWF
3sQiKA35SDPAYSfMxxyjUzBRMB0GA1UdDgQWBBSIFI9oW81aX0OSlMx/9AY5q09h
qDAfBgNVHSMEGDAWgBSIFI9oW81aX0OSlMx/9AY5q09hqDAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0cAMEQCIBQWWjvtQFDXJja7/NmrP694f9Ac+XB4aHlZ
E9v7cEszAiA85hXPwl7BVcOtgdFNPCj/PE+N95GusXGYgbM2Vm519g==
-----END CERTIFICATE-----`;
