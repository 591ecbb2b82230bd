import { inspect } from 'node:util';
import { createHash } from 'node:crypto';
import type { ToolCalled } from '#events/inbound.js';
import { thumbprint, type EcPublicJwk } from '#identity/jwk.js';
import {
  EXECUTOR,
  type FakeBroker,
  LEASE,
  NOT_AFTER,
  ORCHESTRATOR,
  PLANNER,
  RENEWED_TO,
  refusal,
} from '../test/fake-broker.js';
import type { FakeHttpBroker } from '../test/fake-http-broker.js';
import { declaration, read, serveTask } from '../test/served-task.js';
import { withTask, type TaskOptions } from './with-task.js';

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const JWT = {
  kind: 'jwt',
  leaseId: LEASE,
  notAfter: NOT_AFTER,
  token: `${part({})}.${part({ aud: 'https://orders.example' })}.c2ln`,
  dpop: true,
};

describe('a task around a piece of work', () => {
  let broker: FakeBroker;
  let http: FakeHttpBroker;
  let options: TaskOptions;
  beforeEach(async () => {
    ({ broker, http, options } = await serveTask());
  });
  afterEach(async () => {
    await http.close();
    await broker.close();
  });

  it('gives a database user as the driver wants it', async () => {
    const connection = await withTask(
      declaration,
      async (task) => (await task.credential({ ...read, kind: 'postgres' })).connection,
      options,
    );
    expect(connection).toMatchObject({
      host: '127.0.0.1',
      port: 7433,
      database: 'shop',
      user: 'kdev0192',
      ssl: false,
    });
    expect(connection.password()).toBe('correct-horse');
  });

  it('gives a Redis user as a client wants it', async () => {
    const node = { host: '127.0.0.1', port: 6379 };
    broker.credential = {
      ...{ kind: 'redis', leaseId: LEASE, notAfter: NOT_AFTER },
      connection: {
        ...{ ...node, nodes: [node], username: 'kdev0192', password: 'correct-horse' },
        tls: { mode: 'verify-full', ca: 'PEM' },
      },
    };
    const credential = await withTask(
      declaration,
      (task) => task.credential({ ...read, kind: 'redis' }),
      options,
    );
    expect(credential).toMatchObject({ kind: 'redis', leaseId: LEASE, notAfter: NOT_AFTER });
    expect(credential.connection).toMatchObject({
      ...{ ...node, nodes: [node], username: 'kdev0192', tls: { rejectUnauthorized: true, ca: 'PEM' } },
    });
    expect(credential.connection.password()).toBe('correct-horse');
    expect(JSON.stringify(credential)).not.toContain('correct-horse');
  });

  it('renews what is in use: a user of a database stays as it is', async () => {
    await withTask(
      declaration,
      async (task) => {
        const credential = await task.credential({ ...read, kind: 'postgres' });
        const { connection } = credential;
        expect(await credential.renew({ ttlMs: 60_000 })).toBe(RENEWED_TO);
        expect(credential).toMatchObject({ notAfter: RENEWED_TO, leaseId: LEASE });
        expect(credential.connection).toBe(connection);
      },
      options,
    );
    const [renewal] = broker.heardOf('lease.renewal_requested');
    expect(renewal).toMatchObject({ sender: EXECUTOR, event: { data: { leaseId: LEASE, ttlMs: 60_000 } } });
  });

  it('renews a token by another one, that is sent from then on', async () => {
    broker.credential = JWT;
    const token = JWT.token.replace(/c2ln$/, 'bmV3');
    const sent: (string | null)[] = [];
    const fetch: typeof globalThis.fetch = (_url, init) => {
      sent.push(new Headers(init?.headers).get('authorization'));
      return Promise.resolve(Response.json([]));
    };
    await withTask(
      declaration,
      async (task) => {
        const credential = await task.credential({ ...read, kind: 'jwt' });
        broker.next = [
          { is: 'renewed', notAfter: RENEWED_TO, plaintext: { ...JWT, notAfter: RENEWED_TO, token } },
        ];
        expect(await credential.renew()).toBe(RENEWED_TO);
        await credential.fetch('https://orders.example/orders');
      },
      { ...options, fetch },
    );
    expect(sent).toEqual([`DPoP ${token}`]);
  });

  it('does not renew after the end of the task, nor what Mayfly refuses', async () => {
    const credential = await withTask(
      declaration,
      async (task) => {
        const lent = await task.credential({ ...read, kind: 'postgres' });
        broker.next = [refusal('ERR_LEASE_NOT_RENEWABLE', 'the lease would end no later than it does')];
        await expect(lent.renew()).rejects.toMatchObject({
          name: 'Refused',
          code: 'ERR_LEASE_NOT_RENEWABLE',
        });
        expect(lent.notAfter).toBe(NOT_AFTER);
        return lent;
      },
      options,
    );
    await expect(credential.renew()).rejects.toMatchObject({ code: 'ERR_TASK_OVER' });
  });

  it('takes no other kind than was asked for', async () => {
    broker.credential = JWT;
    await expect(
      withTask(declaration, (task) => task.credential({ ...read, kind: 'postgres' }), options),
    ).rejects.toMatchObject({ code: 'ERR_CREDENTIAL_KIND', fields: { kind: 'jwt' } });
  });

  it('shows no secret, however a credential is printed', async () => {
    await withTask(
      declaration,
      async (task) => {
        const credential = await task.credential(read);
        const shown = `${inspect([task, credential], { depth: 9, showHidden: true })}${JSON.stringify([task, credential])}`;
        expect(shown).not.toContain('correct-horse');
        expect(shown).toContain('kdev0192');
      },
      options,
    );
  });

  it('gives a token that speaks with the key of the call', async () => {
    broker.credential = JWT;
    await withTask(
      declaration,
      async (task) => {
        const credential = await task.credential({ ...read, kind: 'jwt' });
        const [header = ''] = credential.proof('GET', 'https://orders.example/').split('.');
        const { jwk } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { jwk: EcPublicJwk };
        expect(thumbprint(jwk)).toBe(broker.heardOf('tool.called')[0]?.proofKeyThumbprint);
        expect(credential.audience).toBe('https://orders.example');
      },
      options,
    );
  });

  it('has one proof key for each identity, and a seal key for each call', async () => {
    await withTask(
      declaration,
      (task) => Promise.all([task.credential(read), task.credential(read)]),
      options,
    );
    const keysOf = (sender: string) =>
      new Set(broker.heard.filter((each) => each.sender === sender).map((each) => each.proofKeyThumbprint));
    expect([keysOf(ORCHESTRATOR).size, keysOf(EXECUTOR).size]).toEqual([1, 1]);
    expect([...keysOf(ORCHESTRATOR)]).not.toEqual([...keysOf(EXECUTOR)]);
    const sealedTo = broker.heardOf('tool.called').map(({ event }) => (event.data as ToolCalled).sealTo.x);
    expect(new Set(sealedTo).size).toBe(2);
  });

  it('binds a call to its arguments where they are given', async () => {
    await withTask(declaration, (task) => task.credential({ ...read, arguments: { b: 1, a: [2] } }), options);
    const [call] = broker.heardOf('tool.called');
    const digest = createHash('sha256').update('{"a":[2],"b":1}').digest('hex');
    expect(call?.event.data).toMatchObject({ argumentsSha256: digest });
  });

  it('goes on after a refused call, with code and reasons', async () => {
    const code = await withTask(
      declaration,
      async (task) => {
        broker.next = [refusal('ERR_DATASET_FORBIDDEN', 'no', 'salaries are for people')];
        const refused = await task.credential(read).catch((error: unknown) => error);
        await task.credential(read);
        return refused;
      },
      options,
    );
    expect(code).toMatchObject({ code: 'ERR_DATASET_FORBIDDEN', reasons: ['no', 'salaries are for people'] });
  });

  it('asks for the same call again with the same key, where its answer was given up', async () => {
    const credential = await withTask(
      declaration,
      async (task) => {
        broker.next = Array.from({ length: 3 }, () => ({ is: 'lost' as const }));
        const lost = await task.credential({ ...read, withinMs: 70 }).catch((error: unknown) => error);
        broker.next = [];
        const { callId } = (lost as { fields: { callId: string } }).fields;
        return task.credential({ ...read, callId });
      },
      options,
    );
    expect(credential.leaseId).toBe(LEASE);
    expect(new Set(broker.heardOf('tool.called').map(({ valueSha256 }) => valueSha256)).size).toBe(1);
  });

  it('speaks with one key where who declares also calls', async () => {
    const planner = broker.identity(PLANNER);
    await withTask(declaration, (task) => task.credential(read), {
      ...options,
      identity: planner,
      agent: planner,
    });
    expect(new Set(broker.heard.map((each) => each.proofKeyThumbprint)).size).toBe(1);
  });
});
