/** Snippets of docs/how-to/write-an-agent.md and docs/how-to/delegate-work.md that are not in an example, compiled and run. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bus } from '#bus/bus.js';
import type { PeerKeys } from '#identity/records.js';
import { EXECUTOR, FakeBroker, LEASE, NOT_AFTER, ORCHESTRATOR, TASK, refusal } from '../test/fake-broker.js';
import { FakeBusBroker } from '../test/fake-bus-broker.js';
import { serve, type FakeHttpBroker } from '../test/fake-http-broker.js';
import { AgentError } from './agent-error.js';
import { BusTransport } from './bus-transport.js';
import { developmentIdentity } from './development-identity.js';
import { HttpTransport } from './http-transport.js';
import { fileIdentity, type IdentitySource } from './identity-source.js';
import { ProofKey } from './proof-key.js';
import { Refused } from './refused.js';
import type { Task } from './task.js';
import { joinTask, withTask, type Declaration, type TaskOptions } from './with-task.js';
import { workloadIdentity } from './workload-identity.js';

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const declaration: Declaration = {
  purpose: 'Reconcile October invoices',
  objective: 'Add up all that was paid in October',
  principal: { id: 'user:maria@corp.example', kind: 'human' },
  agents: [{ id: EXECUTOR }],
  declared: [{ tool: 'orders.api', dataset: 'orders', actions: ['read'] }],
  deadline: new Date('2099-01-01T00:00:00Z'),
  risk: 'low',
};

describe('how to write an agent', () => {
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
    };
  });
  afterEach(async () => {
    await http.close();
    await broker.close();
  });

  it('takes its identity from where it is', async () => {
    const api = { fetchJwtSvid: () => Promise.resolve({ id: EXECUTOR, svid: 'an SVID' }) };
    const folder = await mkdtemp(join(tmpdir(), 'how-to-'));
    const path = join(folder, 'token');
    const stateDir = broker.stateDir;
    await writeFile(path, 'a.b.c');
    process.env.MAYFLY_ENV = 'development';
    // begin identities
    const fromSpire = workloadIdentity(api);
    const fromKubernetes = fileIdentity(path, 'spiffe://corp.example/agent/executor');
    const onMyMachine = developmentIdentity('spiffe://dev.mayfly/agent/executor', { stateDir });
    // end identities
    const all: IdentitySource[] = [fromSpire, fromKubernetes, onMyMachine];
    const tokens = await Promise.all(all.map((identity) => identity('mayfly')));
    expect(tokens).toEqual(['an SVID', 'a.b.c', expect.stringMatching(/^ey/)]);
    delete process.env.MAYFLY_ENV;
    await rm(folder, { recursive: true });
  });

  it('uses a token', async () => {
    broker.credential = {
      kind: 'jwt',
      leaseId: LEASE,
      notAfter: NOT_AFTER,
      token: `${part({})}.${part({ aud: 'https://orders.example' })}.c2ln`,
      dpop: true,
    };
    const seen: (string | null)[] = [];
    const fetch = (_url: unknown, init?: RequestInit) => {
      seen.push(new Headers(init?.headers).get('authorization'));
      return Promise.resolve(Response.json([]));
    };
    const work = async (task: Task) => {
      // begin token
      const orders = await task.credential({
        tool: 'orders.api',
        dataset: 'orders',
        action: 'read',
        kind: 'jwt',
      });
      const response = await orders.fetch('https://orders.example/orders');
      // end token
      return response.status;
    };
    expect(await withTask(declaration, work, { ...options, fetch })).toBe(200);
    expect(seen).toEqual([expect.stringMatching(/^DPoP /)]);
  });

  it('hears why not, and asks again where it heard nothing', async () => {
    const call = { tool: 'sql.query', dataset: 'crm.orders', action: 'read', withinMs: 70 };
    const ask = async (task: Task) => {
      // begin refused
      try {
        return await task.credential(call);
      } catch (error) {
        if (error instanceof Refused) return `${error.code}: ${error.reasons.join('; ')}`;
        if (error instanceof AgentError && error.code === 'ERR_ANSWER_TIMEOUT')
          // The same call, so the same answer: nothing is lent twice.
          return await task.credential({ ...call, callId: String(error.fields.callId) });
        throw error;
      }
      // end refused
    };
    await withTask(
      declaration,
      async (task) => {
        broker.next = [refusal('ERR_DATASET_FORBIDDEN', 'no', 'salaries are for people')];
        expect(await ask(task)).toBe('ERR_DATASET_FORBIDDEN: no; salaries are for people');
        broker.next = [{ is: 'lost' }, { is: 'lost' }];
        expect(await ask(task)).toMatchObject({ leaseId: LEASE });
      },
      options,
    );
  });

  it('amends its task', async () => {
    const work = async (task: Task) => {
      // begin amend
      await task.amend({
        declared: [{ tool: 'orders.api', dataset: 'orders', actions: ['read', 'write'] }],
        deadline: new Date(Date.now() + 600_000),
        reason: 'the invoices have to be corrected, too',
      });
      // end amend
      // begin rekey
      await task.amend({ rekey: EXECUTOR, reason: 'it was restarted and has lost its key' });
      // end rekey
    };
    await withTask(declaration, work, options);
    expect(broker.heardOf('task.amended').map(({ event }) => event.data)).toMatchObject([
      { declared: [{ actions: ['read', 'write'] }] },
      { rekey: EXECUTOR },
    ]);
  });

  it('goes on after a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'how-to-'));
    const taskId = TASK;
    const agent = broker.identity(EXECUTOR);
    const work = (task: Task) =>
      task.credential({ tool: 'sql.query', dataset: 'crm.orders', action: 'read' });
    for (let life = 0; life < 2; life += 1) {
      const broker = http.url;
      // begin restart
      const key = await ProofKey.loadOrCreate(join(folder, `${taskId}.jwk`));
      await joinTask(taskId, work, { broker, agent, key });
      // end restart
    }
    expect(new Set(broker.heard.map(({ proofKeyThumbprint }) => proofKeyThumbprint)).size).toBe(1);
    await rm(folder, { recursive: true });
  });

  it('speaks over the bus', async () => {
    const fake = await FakeBusBroker.open(broker);
    const { bus, peers }: { bus: Bus; peers: PeerKeys } = fake;
    const { identity } = options;
    const work = () => Promise.resolve('done');
    // begin bus
    const transport = new BusTransport({ bus, peers });
    const result = await withTask(declaration, work, { transport, identity });
    await transport.close();
    // end bus
    expect(result).toBe('done');
    await fake.close();
  });
});
