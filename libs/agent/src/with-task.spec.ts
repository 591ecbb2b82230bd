import { createHash } from 'node:crypto';
import type { TaskEnded } from '#events/inbound.js';
import {
  EXECUTOR,
  type FakeBroker,
  LEASE,
  ORCHESTRATOR,
  PLANNER,
  TASK,
  refusal,
} from '../test/fake-broker.js';
import type { FakeHttpBroker } from '../test/fake-http-broker.js';
import { declaration, read, serveTask } from '../test/served-task.js';
import { HttpTransport } from './http-transport.js';
import type { Task } from './task.js';
import { joinTask, withTask, type TaskOptions } from './with-task.js';

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

  it('declares nothing that is no declaration', async () => {
    await expect(
      withTask({ ...declaration, agents: [] }, () => Promise.resolve(), options),
    ).rejects.toMatchObject({
      name: 'ZodError',
    });
    expect(told()).toEqual([]);
  });
});
