import { setTimeout as sleep } from 'node:timers/promises';
import { FakeBroker, EXECUTOR, LEASE, TASK } from '../test/fake-broker.js';
import { FakeBusBroker } from '../test/fake-bus-broker.js';
import { BusTransport } from './bus-transport.js';
import { generateSealKey } from './seal-key.js';
import { Speaker } from './speaker.js';
import { svidOfNobody, testTransport } from './transport.contract.js';

const CALL = '0192f0a0-0000-7000-8000-0000000000c1';

describe('over the bus', () => {
  testTransport(async (broker) => {
    const { bus, peers, ...fake } = await opened(broker);
    const transport = new BusTransport({ bus, peers, retryAfterMs: 20 });
    return {
      transport,
      close: async () => {
        await transport.close();
        await fake.close();
      },
    };
  });

  const opened = async (broker: FakeBroker) => {
    const fake = await FakeBusBroker.open(broker);
    return { fake, bus: fake.bus, peers: fake.peers, close: () => fake.close() };
  };

  it('is content with the delivery topic, and says that a lease ended before its envelope', async () => {
    const broker = await FakeBroker.open();
    const { fake, bus, peers, close } = await opened(broker);
    const transport = new BusTransport({ bus, peers, hearsVerdicts: false, retryAfterMs: 50 });
    const sealKey = generateSealKey();
    const data = { taskId: TASK, callId: CALL, tool: 'sql.query', action: 'read', sealTo: sealKey.publicJwk };
    const speaker = new Speaker(broker.identity(EXECUTOR));
    broker.next = [{ is: 'lost' }];
    const asked = transport.ask(
      { taskId: TASK, callId: CALL, agent: EXECUTOR, sealKid: sealKey.thumbprint },
      async () => {
        await fake.leaseEnded(TASK, LEASE);
        return speaker.sign({ type: 'tool.called', data });
      },
      { withinMs: 30_000 },
    );
    await expect(asked).rejects.toMatchObject({
      code: 'ERR_CREDENTIAL_VOID',
      fields: { leaseId: LEASE, cause: 'task_ended' },
    });
    await transport.close();
    await close();
    await broker.close();
  });

  it('says why it was turned away, also where it asks again too late to hear of that', async () => {
    const broker = await FakeBroker.open();
    const { bus, peers, close } = await opened(broker);
    const transport = new BusTransport({ bus, peers, retryAfterMs: 50 });
    const sealKey = generateSealKey();
    const data = { taskId: TASK, callId: CALL, tool: 'sql.query', action: 'read', sealTo: sealKey.publicJwk };
    const stranger = new Speaker(() => Promise.resolve(svidOfNobody));
    const withinMs = 400;
    let letters = 0;
    const asked = transport.ask(
      { taskId: TASK, callId: CALL, agent: EXECUTOR, sealKid: sealKey.thumbprint },
      async () => {
        if ((letters += 1) > 1) await sleep(2 * withinMs);
        return stranger.sign({ type: 'tool.called', data });
      },
      { withinMs },
    );
    await expect(asked).rejects.toMatchObject({ name: 'Refused', code: 'ERR_SVID_INVALID' });
    await transport.close();
    await close();
    await broker.close();
  });

  it('says that a call waits for an approval', async () => {
    const broker = await FakeBroker.open();
    const { fake, bus, peers, close } = await opened(broker);
    const transport = new BusTransport({ bus, peers, hearsVerdicts: false });
    const sealKey = generateSealKey();
    const data = { taskId: TASK, callId: CALL, tool: 'sql.query', action: 'read', sealTo: sealKey.publicJwk };
    const speaker = new Speaker(broker.identity(EXECUTOR));
    broker.next = [{ is: 'lost' }];
    const asked = transport.ask(
      { taskId: TASK, callId: CALL, agent: EXECUTOR, sealKid: sealKey.thumbprint },
      async () => {
        await fake.callPending(TASK, CALL, EXECUTOR);
        return speaker.sign({ type: 'tool.called', data });
      },
      { withinMs: 30_000 },
    );
    await expect(asked).rejects.toMatchObject({
      code: 'ERR_APPROVAL_PENDING',
      fields: { callId: CALL, approval: 'a-7' },
    });
    await transport.close();
    await close();
    await broker.close();
  });
});
