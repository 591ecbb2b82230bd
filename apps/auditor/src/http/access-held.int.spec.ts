/** Who held what at an instant. */
import { Audited } from '../../spec/audited.js';
import { NADIA, OLGA, READERS } from '../../spec/readers.js';
import { ANALYST, CALL, common, LEASE, OPERATOR, TASK } from '../../spec/world.js';
import type { AccessPage } from './api-schemas.js';

const PLANNER = 'spiffe://dev.mayfly/agent/planner';

let audited: Audited;
beforeEach(async () => {
  audited = await Audited.open(READERS);
});
afterEach(() => audited.close());

const decided = (more: object) => audited.decided(more);

describe('access', () => {
  // Entries come into the log now, and what they tell of was a minute ago.
  const beganMs = Date.now() - 60_000;
  const at = (second: number) => new Date(beganMs + second * 1_000).toISOString();
  const leaseOf = (n: number) => LEASE.replace(/.$/, String(n));
  const wrote = (service: 'broker' | 'revoker', type: string, data: object) =>
    audited.world.wrote(service, type, { ...common, ...data });
  /** From second 1 to second 10, unless it is cut. */
  const lease = (n: number, dataset: string) => {
    const leaseId = leaseOf(n);
    return [
      decided({ decision: 'permit', dataset, action: 'read', leaseId, at: at(0) }),
      wrote('broker', 'lease.intended', {
        leaseId,
        target: 'shop',
        principal: `mayfly_${n}`,
        rights: ['orders_read'],
        at: at(0),
      }),
      wrote('broker', 'lease.issued', { leaseId, callId: CALL, agent: ANALYST, at: at(1), notAfter: at(10) }),
    ];
  };
  const cut = (n: number, second: number) =>
    wrote('revoker', 'lease.access_cut', {
      leaseId: leaseOf(n),
      cause: 'task_ended',
      cutAt: at(second),
      at: at(second),
    });
  const held = async (query: string, id = OPERATOR) =>
    (await audited.json<AccessPage>(`/v1/access?${query}`, id)).held.map(({ leaseId }) =>
      Number(leaseId.at(-1)),
    );

  beforeEach(async () => {
    await audited.append(
      wrote('broker', 'task.accepted', {
        principal: { id: 'user:maria@corp.example', kind: 'human', proved: 'token' },
      }),
      ...lease(1, 'crm.orders'),
      ...lease(2, 'crm.customers'),
      cut(1, 5),
    );
  });

  it('was held at an instant, as the log knows it now', async () => {
    expect(await held(`at=${at(0)}`)).toEqual([]);
    expect(await held(`at=${at(3)}`)).toEqual([2, 1]);
    expect(await held(`at=${at(6)}`)).toEqual([2]);
    expect(await held(`at=${at(10)}`)).toEqual([]);
    expect(await held('')).toEqual([]);
    expect(await audited.json<AccessPage>(`/v1/access?at=${at(3)}&dataset=crm.orders`)).toEqual({
      ...{ at: at(3), next: null, as_of: expect.objectContaining({ size: 8 }) as object },
      held: [
        {
          ...{
            leaseId: leaseOf(1),
            taskId: TASK,
            tenant: 'corp',
            agent: ANALYST,
            tool: 'sql.query',
            dataset: 'crm.orders',
          },
          ...{
            action: 'read',
            target: 'shop',
            account: 'mayfly_1',
            rights: ['orders_read'],
            from: at(1),
            until: at(5),
          },
          ...{ cause: 'task_ended', complete: true, entries: { decided: 1, issued: 3, cut: 7 } },
          principal: audited.world.keys.pseudonyms.person('user:maria@corp.example'),
        },
      ],
    });
  });

  it.each([
    ['dataset=crm.customers', [2]],
    ['principal=user:maria@corp.example', [2, 1]],
    ['principal=user:mario@corp.example', []],
    [`agent=${ANALYST}&target=shop&tool=sql.query`, [2, 1]],
    [`agent=${PLANNER}`, []],
    ['tool=orders.api', []],
  ])('is asked for by %s', async (query, expected) => {
    expect(await held(`at=${at(3)}&${query}`)).toEqual(expected);
  });

  it('comes in pages of one head', async () => {
    const first = await audited.json<AccessPage>(`/v1/access?at=${at(3)}&limit=1`);
    await audited.append(cut(2, 2));
    const second = await audited.json<AccessPage>(`/v1/access?at=${at(3)}&limit=1&after=${first.next}`);
    expect([...first.held, ...second.held].map(({ leaseId }) => leaseId)).toEqual([leaseOf(2), leaseOf(1)]);
    expect(second.as_of).toEqual(first.as_of);
    expect(await held(`at=${at(3)}`)).toEqual([1]);
    expect(await audited.get(`/v1/access?at=${at(4)}&after=${first.next}`)).toMatchObject({
      status: 400,
      text: expect.stringContaining('"ERR_CURSOR_OF_OTHER_QUERY"') as string,
    });
  });

  it('is seen by operators, and of a tenant by its readers', async () => {
    expect(await held(`at=${at(3)}`, OLGA)).toEqual([2, 1]);
    expect(await held(`at=${at(3)}`, NADIA)).toEqual([2, 1]);
    expect((await audited.get('/v1/access', ANALYST)).status).toBe(403);
  });

  it.each(['at=yesterday', 'limit=51', 'agent=%00', 'dataset=a&dataset=b'])(
    'is not asked for by %s',
    async (query) => {
      expect(await audited.get(`/v1/access?${query}`)).toMatchObject({
        status: 400,
        text: expect.stringContaining('"ERR_PARAMETER_INVALID"') as string,
      });
    },
  );
});
