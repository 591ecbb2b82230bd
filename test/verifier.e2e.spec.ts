/**
 * Proves what a service that takes tokens knows: the end of a task within moments, without the broker too, and without Kafka that
 * it does not know. Then it does what its mode says, and what it knows to be dead stays dead. And that a status list will do.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createIntrospection, type Introspect } from '#verifier/introspection-client.js';
import { IssuerKeys } from '#verifier/issuer-keys.js';
import { StatusListSource } from '#verifier/status-list-source.js';
import type { VerifierOptions } from '#verifier/verifier.js';
import type { MayflyClient } from '../apps/cli/src/mayfly-client.js';
import { KafkaDoor, type Shut } from './support/kafka-door.js';
import {
  lendToken,
  OrdersService,
  startOrdersTask,
  until,
  type LentToken,
} from './support/orders-service.js';
import { endTask, openClient } from './support/sample-client.js';
import { ORDERS_SERVICE, sampleWithOutlets } from './support/sample-with-outlets.js';
import { startStack, type TestStack } from './support/stack.mjs';

const KNOWS_WITHIN_MS = 3_000;
/** The machine may be busy, and stand still for a while. */
const SLACK_MS = 12_000;

describe('a service that takes tokens', () => {
  let folder: string;
  let stack: TestStack;
  let client: MayflyClient;
  let door: KafkaDoor;
  let service: OrdersService;
  let introspect: Introspect;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mayfly-verifier-'));
    stack = await startStack({ env: { ...(await sampleWithOutlets(folder)), MAYFLY_BUS: 'kafka' } });
    client = await openClient(stack);
    door = await KafkaDoor.open(stack.addresses.kafka ?? '');
    service = await OrdersService.open(stack, door.address);
    const { broker } = stack.addresses;
    introspect = createIntrospection({
      url: `${broker}/oauth/introspect`,
      authenticate: async () => ({
        parameters: {
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe',
          client_assertion: await client.svid(ORDERS_SERVICE, broker),
        },
      }),
    });
  }, 180_000);
  afterAll(async () => {
    await service?.close();
    await door?.close();
    await client?.close();
    await stack?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);
  afterEach(() => door?.reopen());

  /** Where the machine stands still, it knows nothing for a moment. */
  const accepts = (lent: LentToken, options?: Partial<VerifierOptions>) =>
    until(async () => {
      const said = await service.says(lent, options);
      if (said !== 'accepted') expect(said).toMatch(/^ERR_(REVOCATION_UNKNOWN|TOKEN_INACTIVE)$/);
      return said === 'accepted';
    });

  it('accepts a token while its task runs, and refuses it as revoked from then on', async () => {
    const taskId = await startOrdersTask(client);
    const reading = await lendToken(client, taskId, 'read');
    const writing = await lendToken(client, taskId, 'write');
    const other = await lendToken(client, await startOrdersTask(client), 'read');

    await accepts(reading);
    await accepts(writing);
    expect(await service.verdictOn(reading)).toMatchObject({ ok: true, task: taskId, actions: ['read'] });

    await endTask(client, taskId);

    await until(async () => (await service.says(reading)) !== 'accepted');
    expect(await service.verdictOn(reading)).toMatchObject({ code: 'ERR_TOKEN_REVOKED', httpStatus: 401 });
    expect(await service.says(writing)).toBe('ERR_TOKEN_REVOKED');
    await accepts(other);
  });

  it('needs no broker for that: with it killed, live tokens are accepted and those of ended tasks refused', async () => {
    const [before, meanwhile, open] = await Promise.all([1, 2, 3].map(() => startOrdersTask(client)));
    const [dead, dying, live] = await Promise.all(
      [before!, meanwhile!, open!].map((taskId) => lendToken(client, taskId, 'read')),
    );
    await endTask(client, before!);
    await until(async () => (await service.says(dead!)) === 'ERR_TOKEN_REVOKED');

    await stack.kill('broker', 'SIGKILL');
    expect(await service.says(dead!)).toBe('ERR_TOKEN_REVOKED');
    await accepts(dying!);
    await accepts(live!);

    await endTask(client, meanwhile!);
    await until(async () => (await service.says(dying!)) === 'ERR_TOKEN_REVOKED');

    // Longer than what it knew before would do.
    for (const untilMs = Date.now() + 2 * KNOWS_WITHIN_MS; Date.now() < untilMs; await sleep(250)) {
      await accepts(live!);
      expect(await service.says(dying!)).toBe('ERR_TOKEN_REVOKED');
    }

    await stack.start('broker');
    await accepts(await lendToken(client, open!, 'read'));
    expect(await service.says(dying!)).toBe('ERR_TOKEN_REVOKED');
  }, 180_000);

  it.each<Shut>(['refuses', 'hangs'])(
    'knows within 3 s that it does not know, where Kafka %s: it refuses or asks the broker, and goes on when Kafka is back',
    async (how) => {
      const [before, meanwhile, open] = await Promise.all([1, 2, 3].map(() => startOrdersTask(client)));
      const [dead, dying, reading] = await Promise.all(
        [before!, meanwhile!, open!].map((taskId) => lendToken(client, taskId, 'read')),
      );
      const writing = await lendToken(client, open!, 'write');
      await endTask(client, before!);
      await until(async () => (await service.says(dead!)) === 'ERR_TOKEN_REVOKED');
      await accepts(writing);

      await door.shut(how);
      const afterMs = await until(() => !service.feed.know().knows);

      expect(afterMs).toBeLessThan(KNOWS_WITHIN_MS + SLACK_MS);
      expect(service.feed.know()).toEqual({ knows: false, why: 'silent' });
      expect(await service.verdictOn(writing)).toMatchObject({
        code: 'ERR_REVOCATION_UNKNOWN',
        httpStatus: 503,
      });
      expect(await service.says(reading!)).toBe('ERR_REVOCATION_UNKNOWN');
      expect(await service.says(dead!)).toBe('ERR_TOKEN_REVOKED');

      await accepts(reading!, { introspect });
      expect(await service.says(writing, { introspect })).toBe('ERR_REVOCATION_UNKNOWN');
      expect(await service.says(dead!, { introspect })).toBe('ERR_TOKEN_REVOKED');
      await endTask(client, meanwhile!);
      await until(async () => (await service.says(dying!, { introspect })) === 'ERR_TOKEN_INACTIVE');
      await accepts(reading!, { introspect });
      expect(await service.says(dying!)).toBe('ERR_REVOCATION_UNKNOWN');

      await door.reopen();

      await until(() => service.feed.know().knows, 60_000);
      await until(async () => (await service.says(dying!)) === 'ERR_TOKEN_REVOKED');
      await accepts(reading!);
    },
    180_000,
  );

  it('needs no Kafka either: by the status list, ends are known when its time to live is over', async () => {
    const { revoker } = stack.addresses;
    const keys = await IssuerKeys.open({ url: `${revoker}/.well-known/jwks.json` });
    const life = new StatusListSource({ lists: `${revoker}/status/`, keys });
    const [ending, open] = await Promise.all([1, 2].map(() => startOrdersTask(client)));
    const [dying, live] = await Promise.all(
      [ending!, open!].map((taskId) => lendToken(client, taskId, 'read')),
    );
    // The revoker has a list once it has heard of the first token in it.
    await until(async () => (await service.says(dying!, { life })) === 'accepted');

    await endTask(client, ending!);

    await until(async () => (await service.says(dying!, { life })) === 'ERR_TOKEN_REVOKED');
    await accepts(live!, { life });
    keys.close();
  });
});
