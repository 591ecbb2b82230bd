/** A create is two messages: what becomes of each whose answer is lost, and what is sent afterwards. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openKafka } from './kafka-provider.js';
import { createLog } from '#telemetry/log.js';
import { Wire } from '../conformance/wire.contract.js';
import type { CredentialProvider } from '../provider.js';
import type { SampleKafka } from './sample-kafka.contract.js';
import { kafkaSettings } from './settings.js';

const NO_ANSWER = { answer: 'none', code: 'ERR_TARGET_UNREACHABLE' };
/** A client that resends of its own accord does so by then. */
const RESENT_BY_MS = 250;

export function describeLosses(kafka: () => SampleKafka): void {
  describe('a create', () => {
    let wire: Wire;
    let broker: CredentialProvider;
    beforeEach(async () => {
      const { host, port, listenOn } = kafka().wire;
      wire = await Wire.open({ host, port }, listenOn);
      const log = createLog('providers-spec', { level: 'silent' });
      broker = openKafka(kafkaSettings.parse(kafka().wire.settings('broker', wire.port)), log);
    });
    afterEach(async () => {
      await wire.close();
      await broker.close();
    });

    it('of whose ACLs nothing is heard sends no credential, ever', async () => {
      const { administrator, plan, revoker } = kafka();
      const wanted = plan();
      wire.trap(wanted.principal, 'answer_cut');

      expect(await broker.create(wanted)).toEqual(NO_ANSWER);
      await sleep(RESENT_BY_MS);

      expect(wire.requests(wanted.principal)).toBe(1);
      expect(await administrator.hasCredential(wanted.principal)).toBe(false);
      expect((await revoker.observe(wanted)).state).toBe('live');
      expect((await revoker.cut(wanted)).observation.state).toBe('absent');
    });

    it('of whose credential nothing is heard is not answered, and not sent again', async () => {
      const { plan, revoker } = kafka();
      const wanted = plan();
      wire.trap(MADE, 'answer_cut');

      expect(await broker.create(wanted)).toEqual(NO_ANSWER);
      await sleep(RESENT_BY_MS);

      expect(wire.requests(MADE)).toBe(1);
      expect((await revoker.observe(wanted)).state).toBe('live');
      expect(await broker.create(wanted)).toEqual({ answer: 'refused', code: 'ERR_PRINCIPAL_EXISTS' });
      expect((await revoker.cut(wanted)).observation.state).toBe('absent');
    });

    it('whose ACLs were cut before its credential was sent sends none', async () => {
      const { administrator, plan, revoker } = kafka();
      const wanted = plan();
      const held = wire.hold(wanted.principal);
      const answer = broker.create(wanted);
      await held.arrived;
      // It looks at what it made before it sends the credential.
      const look = wire.hold(wanted.principal);
      await held.release();
      await look.arrived;
      await revoker.cut(wanted);
      await look.release();

      expect(await answer).toEqual({ answer: 'refused', code: 'ERR_TARGET_BUSY' });

      expect(await administrator.hasCredential(wanted.principal)).toBe(false);
    });

    it('whose credential lands after the cut gives a login that may do nothing, and is found', async () => {
      const { plan, revoker } = kafka();
      const wanted = plan();
      const held = wire.hold(MADE);
      const answer = broker.create(wanted);
      await held.arrived;
      expect((await revoker.cut(wanted)).observation.state).toBe('absent');

      await held.release();

      expect((await revoker.observe(wanted)).state).toBe('disabled');
      const listed: string[] = [];
      for await (const { leaseId } of revoker.list()) listed.push(leaseId);
      expect(listed).toContain(wanted.leaseId);
      const made = await answer;
      if (made.answer !== 'created' || made.credential.kind !== 'kafka') throw new Error('not created');
      const session = await kafka().login(made.credential);
      await expect(session.use()).rejects.toThrow(/authoriz/i);
      expect((await revoker.cut(wanted)).observation.state).toBe('absent');
    });
  });
}

/** The one message of ours that holds this: an upsertion of SCRAM-SHA-512 (2) with 4,096 iterations, in front of a salt of 16 bytes. */
const MADE = '\x02\x00\x00\x10\x00\x11';
