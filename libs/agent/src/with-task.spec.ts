import { inspect } from 'node:util';
import { createHash } from 'node:crypto';
import type { TaskEnded, ToolCalled } from '#events/inbound.js';
import { thumbprint, type EcPublicJwk } from '#identity/jwk.js';
import {
  EXECUTOR,
  FakeBroker,
  LEASE,
  NOT_AFTER,
  ORCHESTRATOR,
  PLANNER,
  RENEWED_TO,
  TASK,
  refusal,
} from '../test/fake-broker.js';
import { serve, type FakeHttpBroker } from '../test/fake-http-broker.js';
import { HttpTransport } from './http-transport.js';
import type { Task } from './task.js';
import { joinTask, withTask, type Declaration, type TaskOptions } from './with-task.js';

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const JWT = {
  kind: 'jwt',
  leaseId: LEASE,
  notAfter: NOT_AFTER,
  token: `${part({})}.${part({ aud: 'https://orders.example' })}.c2ln`,
  dpop: true,
};
const declaration: Declaration = {
  purpose: 'Reconcile October invoices',
  objective: 'Add up all that was paid in October',
  principal: { id: 'user:maria@corp.example', kind: 'human' },
  agents: [{ id: EXECUTOR }],
  declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
  deadline: new Date('2099-01-01T00:00:00Z'),
  risk: 'low',
};
const read = { tool: 'sql.query', dataset: 'crm.orders', action: 'read' } as const;

describe('a task around a piece of work', () => {
  let broker: FakeBroker;
  let http: FakeHttpBroker;
  let options: TaskOptions;
  beforeEach(async () => {
    broker = await FakeBroker.open();
    http = await serve(broker);
    options = {
      transport: new HttpTransport({ url: http.url, retryAfterMs: 20 }),
      identity: broker.identity(ORCHESTRATOR),
      agent: broker.identity(EXECUTOR),
      endsOnSignals: false,
    };
  });
  afterEach(async () => {
    await http.close();
    await broker.close();
  });

  const told = () => broker.heard.map(({ event }) => event.type);
  const ends = () => broker.heardOf('task.ended').map(({ event }) => event.data as TaskEnded);

  it('is declared, worked on, and ended', async () => {
    const id = await withTask(declaration, async (task) => (await task.credential(read), task.id), options);
    expect(told()).toEqual(['task.started', 'tool.called', 'task.ended']);
    expect(ends()).toEqual([{ taskId: id, outcome: 'completed' }]);
  });

  it('keeps the instruction to itself, and sends its digest', async () => {
    await withTask(declaration, () => Promise.resolve(), options);
    const [started] = broker.heardOf('task.started');
    const digest = createHash('sha256').update('Add up all that was paid in October').digest('hex');
    expect(started?.event.data).toMatchObject({
      objectiveSha256: digest,
      deadline: '2099-01-01T00:00:00.000Z',
    });
    expect(started?.event.data).not.toHaveProperty('objective');
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

  it('ends as failed when the work throws, and throws what the work threw', async () => {
    const failure = new Error('no paper in the printer');
    await expect(withTask(declaration, () => Promise.reject(failure), options)).rejects.toBe(failure);
    expect(ends()).toEqual([expect.objectContaining({ outcome: 'failed' })]);
  });

  it('does no work where the start is refused, and has nothing to end', async () => {
    broker.next = [refusal('ERR_TASK_FORBIDDEN', 'not for these agents')];
    let worked = false;
    const refused = withTask(declaration, () => Promise.resolve((worked = true)), options);
    await expect(refused).rejects.toMatchObject({ name: 'Refused', code: 'ERR_TASK_FORBIDDEN' });
    expect([worked, told()]).toEqual([false, ['task.started']]);
  });

  it('is amended by who declared it, once, however often that is told', async () => {
    broker.next = [{ is: 'taken' }, { is: 'lost' }];
    const deadline = new Date('2098-01-01T00:00:00Z');
    const id = await withTask(
      declaration,
      async (task) => (await task.amend({ deadline, rekey: EXECUTOR, reason: 'it was restarted' }), task.id),
      options,
    );
    const amendments = broker.heardOf('task.amended');
    expect(new Set(amendments.map(({ ceId }) => ceId)).size).toBe(1);
    expect(amendments.map(({ event, sender }) => [event.data, sender])).toEqual(
      Array(2).fill([
        {
          taskId: id,
          deadline: '2098-01-01T00:00:00.000Z',
          rekey: EXECUTOR,
          reason: 'it was restarted',
        },
        ORCHESTRATOR,
      ]),
    );
  });

  it('is amended by nobody who only joined it, and not after its end', async () => {
    const transport = new HttpTransport({ url: http.url });
    const join = { transport, agent: broker.identity(EXECUTOR) };
    await expect(joinTask(TASK, (task) => task.amend({ rekey: EXECUTOR }), join)).rejects.toMatchObject({
      code: 'ERR_AGENT_IDENTITY_MISSING',
    });
    const task = await withTask(declaration, (each) => Promise.resolve(each), options);
    await expect(task.amend({ rekey: EXECUTOR })).rejects.toMatchObject({ code: 'ERR_TASK_OVER' });
    expect(broker.heardOf('task.amended')).toEqual([]);
  });

  it('is declared once, however often it is told', async () => {
    broker.next = [{ is: 'lost' }, { is: 'lost' }];
    await withTask(declaration, () => Promise.resolve(), options);
    const starts = broker.heardOf('task.started');
    expect(starts).toHaveLength(3);
    expect(new Set(starts.map(({ ceId, valueSha256 }) => `${ceId} ${valueSha256}`)).size).toBe(1);
  });

  it('is ended where nobody knows whether it started', async () => {
    broker.next = Array.from({ length: 3 }, () => ({ is: 'lost' as const }));
    await expect(
      withTask(declaration, () => Promise.resolve(), { ...options, startWithinMs: 80 }),
    ).rejects.toMatchObject({ code: 'ERR_ANSWER_TIMEOUT' });
    expect(ends()).toContainEqual(expect.objectContaining({ outcome: 'cancelled' }));
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

  it('lends nothing after its end', async () => {
    let kept: Task | undefined;
    await withTask(declaration, (task) => Promise.resolve((kept = task)), options);
    await expect(kept?.credential(read)).rejects.toMatchObject({ code: 'ERR_TASK_OVER' });
    await kept?.end('failed');
    expect(ends()).toHaveLength(1);
  });

  it('calls for nobody where no agent was given', async () => {
    const { agent: _agent, ...starter } = options;
    await expect(withTask(declaration, (task) => task.credential(read), starter)).rejects.toMatchObject({
      code: 'ERR_AGENT_IDENTITY_MISSING',
    });
    expect(told()).toEqual(['task.started', 'task.ended']);
  });

  it('is over at once when it is aborted: the end does not wait for the work', async () => {
    const stop = new AbortController();
    const order: string[] = [];
    const work = withTask(
      declaration,
      async (task) => {
        stop.abort(new Error('enough'));
        await expect(task.credential(read)).rejects.toThrow('enough');
        while (ends().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        order.push('ended', 'work done');
        task.signal.throwIfAborted();
      },
      { ...options, signal: stop.signal },
    );
    await expect(work).rejects.toThrow('enough');
    expect(order).toEqual(['ended', 'work done']);
    expect(ends()).toEqual([expect.objectContaining({ outcome: 'cancelled', reason: 'aborted' })]);
  });

  it('does not start where it is aborted meanwhile, and is ended all the same', async () => {
    const stop = new AbortController();
    broker.next = Array.from({ length: 50 }, () => ({ is: 'lost' as const }));
    setTimeout(() => {
      broker.next = [];
      stop.abort(new Error('enough'));
    }, 60);
    let worked = false;
    const work = withTask(declaration, () => Promise.resolve((worked = true)), {
      ...options,
      signal: stop.signal,
    });
    await expect(work).rejects.toThrow('enough');
    expect([worked, ends().map(({ outcome }) => outcome)]).toEqual([false, ['cancelled']]);
  });

  it('tells where its end cannot be told', async () => {
    const troubles: Error[] = [];
    const failure = new Error('the work failed first');
    const work = async () => {
      await http.close();
      throw failure;
    };
    await expect(
      withTask(declaration, work, {
        ...options,
        endWithinMs: 100,
        onTrouble: (cause) => troubles.push(cause),
      }),
    ).rejects.toBe(failure);
    expect(troubles).toEqual([expect.objectContaining({ code: 'ERR_ANSWER_TIMEOUT' })]);
  });

  it('takes it for an end where the task is over already', async () => {
    await withTask(
      declaration,
      () => {
        broker.next = [refusal('ERR_TASK_ENDED', 'the task has ended')];
        return Promise.resolve();
      },
      options,
    );
  });

  it('is joined by an agent, which ends nothing', async () => {
    const planner = broker.identity(PLANNER);
    const leaseId = await joinTask(TASK, async (task) => (await task.credential(read)).leaseId, {
      transport: new HttpTransport({ url: http.url }),
      agent: planner,
    });
    expect(leaseId).toBe(LEASE);
    expect(broker.heard.map(({ sender, event }) => [sender, event.type, event.data.taskId])).toEqual([
      [PLANNER, 'tool.called', TASK],
    ]);
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

  it('declares nothing that is no declaration', async () => {
    await expect(
      withTask({ ...declaration, agents: [] }, () => Promise.resolve(), options),
    ).rejects.toMatchObject({
      name: 'ZodError',
    });
    expect(told()).toEqual([]);
  });
});
