/** What a request is refused for, each with its status and code. */
import { v7 as uuidv7 } from 'uuid';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import type { World } from '../../test/harness.js';
import { HttpWorld, type Caller } from '../../test/http-world.js';
import { ANALYST, called, PLANNER, STRANGER } from '../../test/voices.js';

let http: HttpWorld;
let world: World;
let caller: Caller;
const startedTask = (change = {}) => http.startedTask(change);
beforeEach(async () => {
  http = await HttpWorld.open();
  ({ world } = http);
  caller = await http.caller();
});
afterEach(() => http.close());

describe('refused over HTTP', () => {
  const refusals: [what: string, status: number, code: string, make: (taskId: string) => Promise<unknown>][] =
    [
      [
        'an agent that the task does not name',
        403,
        'ERR_AGENT_NOT_NAMED',
        async (id) => caller.call(await world.voices.calls(id, {}, PLANNER)),
      ],
      [
        'an unknown task',
        404,
        'ERR_TASK_UNKNOWN',
        async () => caller.call(await world.voices.calls(uuidv7())),
      ],
      [
        'a dataset that policy forbids',
        403,
        'ERR_DATASET_FORBIDDEN',
        async (id) => caller.call(await world.voices.calls(id, { dataset: 'hr.salaries' })),
      ],
      [
        'what is not declared',
        403,
        'ERR_NOT_DECLARED',
        async (id) => caller.call(await world.voices.calls(id, { dataset: 'crm.customers' })),
      ],
      [
        'another key of the same identity',
        409,
        'ERR_KEY_CHANGED',
        async (id) => {
          await caller.call(await world.voices.calls(id));
          return caller.call(await world.voices.calls(id, {}, await world.voices.newly(ANALYST)));
        },
      ],
      [
        'a call id used for another call',
        409,
        'ERR_CALL_REUSED',
        async (id) => {
          const call = called(id);
          await caller.call(await world.voices.says(ANALYST, 'tool.called', call));
          return caller.call(await world.voices.says(ANALYST, 'tool.called', { ...call, ttlMs: 1_000 }));
        },
      ],
      [
        'an event id used for another event',
        409,
        'ERR_ID_REUSED',
        async (id) => {
          const event = uuidv7();
          await caller.call(await world.voices.says(ANALYST, 'tool.called', called(id), event));
          return caller.call(await world.voices.says(ANALYST, 'tool.called', called(id), event));
        },
      ],
      [
        'a task that was declared before',
        409,
        'ERR_TASK_EXISTS',
        async (id) => caller.start(await world.voices.starts(id)),
      ],
      [
        'a stranger who declares',
        403,
        'ERR_NOT_ENTITLED',
        async () => caller.start(await world.voices.starts(uuidv7(), {}, STRANGER)),
      ],
      [
        'an end by somebody else',
        403,
        'ERR_NOT_ENTITLED',
        async (id) => caller.end(await world.voices.ends(id, ANALYST)),
      ],
      [
        'a call after the end',
        403,
        'ERR_TASK_ENDED',
        async (id) => {
          await caller.end(await world.voices.ends(id));
          return caller.call(await world.voices.calls(id));
        },
      ],
      [
        'a plain SVID on a way that others can read',
        401,
        'ERR_SVID_NOT_BOUND',
        async (id) =>
          caller.call(
            await world.voices.calls(id, {}, await world.voices.newly(ANALYST, { audience: 'mayfly' })),
          ),
      ],
      [
        'an expired SVID',
        401,
        'ERR_SVID_EXPIRED',
        async (id) =>
          caller.call(
            await world.voices.calls(
              id,
              {},
              await world.voices.newly(ANALYST, { ttlS: 10, nowMs: Date.now() - 60_000 }),
            ),
          ),
      ],
      [
        'another body than was proved',
        401,
        'ERR_PROOF_MISMATCH',
        async (id) => {
          const record = await world.voices.calls(id);
          return caller.call({ ...record, value: Buffer.from(JSON.stringify(called(id))) });
        },
      ],
      [
        'another task in the path',
        422,
        'ERR_PATH_MISMATCH',
        async (id) => caller.post(`/v1/tasks/${uuidv7()}/calls`, await world.voices.calls(id)),
      ],
      [
        'another event than the path is for',
        422,
        'ERR_PATH_MISMATCH',
        async (id) => caller.post(`/v1/tasks/${id}/end`, await world.voices.calls(id)),
      ],
      [
        'a renewal of a lease that is nobody’s',
        403,
        'ERR_NOT_ENTITLED',
        async (id) => {
          const leaseId = uuidv7();
          return caller.post(
            `/v1/leases/${leaseId}/renew`,
            await world.voices.says(ANALYST, 'lease.renewal_requested', { taskId: id, leaseId }),
          );
        },
      ],
      [
        'a body that is too large',
        413,
        'ERR_BODY_TOO_LARGE',
        async (id) => {
          const record = await world.voices.calls(id);
          return caller.call({ ...record, value: Buffer.alloc(70_000, 0x20) });
        },
      ],
      [
        'a packed body',
        415,
        'ERR_MEDIA_TYPE',
        async (id) =>
          caller.post(`/v1/tasks/${id}/calls`, await world.voices.calls(id), { 'content-encoding': 'gzip' }),
      ],
    ];
  it.each(refusals)('%s is %i %s', async (_what, status, code, make) => {
    const taskId = await startedTask();
    const reply = await make(taskId);

    expect(reply).toMatchObject({
      status,
      type: expect.stringContaining('application/problem+json') as string,
      json: { code, status },
    });
    expect(JSON.stringify(reply)).not.toMatch(/at .*\.ts|eyJ/);
  });

  it('what was refused is written down with its code, as on the bus', async () => {
    const taskId = await startedTask();
    await caller.call(
      await world.voices.calls(taskId, {}, await world.voices.newly(ANALYST, { audience: 'mayfly' })),
    );
    const [rejected] = await world.hears(taskId, 'event.rejected');

    expect(rejected).toMatchObject({ code: 'ERR_SVID_NOT_BOUND', record: { partition: -1 } });
    expect(rejected?.sender).toBeUndefined();
    expect(
      JSON.stringify(world.bus.records(CREDENTIAL_EVENTS).map(({ value }) => value?.toString())),
    ).not.toContain('eyJ');
  });
});
