import { setTimeout as sleep } from 'node:timers/promises';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import { hasher } from '#merkle/node/hasher.js';
import { parseVerifier } from '#merkle/node/keys.js';
import { openCheckpoint } from '#merkle/checkpoint.js';
import { verifyInclusion } from '#merkle/verify.js';
import { Audited, ORIGIN } from '../../spec/audited.js';
import { ANALYST, CALL, common, LEASE, OPERATOR, ORCHESTRATOR, started, TASK } from '../../spec/world.js';
import type { AccessPage, EntryPage, StoryView } from './api-schemas.js';

const OLGA = 'user:olga@corp.example';
const NADIA = 'user:nadia@corp.example';
const BUSY = 'spiffe://dev.mayfly/operator/busy';
const PLANNER = 'spiffe://dev.mayfly/agent/planner';

let audited: Audited;
beforeEach(async () => {
  audited = await Audited.open(
    new Map([
      [OPERATOR, { id: OPERATOR, roles: ['auditor' as const] }],
      [BUSY, { id: BUSY, roles: ['auditor' as const] }],
      [OLGA, { id: OLGA, roles: ['operator' as const] }],
      [NADIA, { id: NADIA, roles: ['auditor' as const], tenants: ['corp'] }],
    ]),
  );
});
afterEach(() => audited.close());

const issued = (n: number) =>
  Array.from({ length: n }, () =>
    audited.world.wrote('broker', 'lease.issued', {
      ...common,
      leaseId: LEASE,
      callId: CALL,
      agent: ANALYST,
    }),
  );
const decided = (more: object) =>
  audited.world.wrote('broker', 'call.decided', {
    ...common,
    callId: CALL,
    agent: ANALYST,
    tool: 'sql.query',
    ...more,
  });
const seqs = ({ entries }: EntryPage) => entries.map(({ seq }) => seq);
const page = (query: string, id = OPERATOR) => audited.json<EntryPage>(`/v1/entries?${query}`, id);
const found = async (filter: string, id = OPERATOR) =>
  seqs(await page(`filter=${encodeURIComponent(filter)}`, id));

async function pages(
  query: string,
  between: () => Promise<void> = () => Promise.resolve(),
): Promise<EntryPage[]> {
  const read: EntryPage[] = [];
  for (let next: string | null = ''; next !== null;) {
    const now: EntryPage = await page(next === '' ? query : `${query}&after=${next}`);
    read.push(now);
    next = now.next;
    await between();
  }
  return read;
}

describe('pages', () => {
  it('are all of one head, while entries come in between them', async () => {
    await audited.append(...issued(7));
    const read = await pages('limit=3', () => audited.append(...issued(2)));

    expect(read.map(seqs)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    expect(new Set(read.map(({ as_of, range }) => JSON.stringify([as_of, range]))).size).toBe(1);
    expect(read[0]).toMatchObject({ as_of: { size: 7 }, range: { first: 0, end: 7 } });
    expect((await page('limit=500')).as_of.size).toBe(13);
  });

  it('may begin with the newest', async () => {
    await audited.append(...issued(5));
    expect((await pages('order=desc&limit=2')).map(seqs)).toEqual([[4, 3], [2, 1], [0]]);
    expect(seqs(await page('order=desc&after=3'))).toEqual([2, 1, 0]);
    expect(seqs(await page('after=3'))).toEqual([4]);
  });

  it('of a filter hold what it lets pass, and end', async () => {
    const mixed = issued(6).flatMap((lease) => [lease, decided({ decision: 'deny' })]);
    await audited.append(...mixed);
    const read = await pages('type=call.decided&limit=4');
    expect(read.map(seqs)).toEqual([
      [1, 3, 5, 7],
      [9, 11],
    ]);
    const few = await pages(`filter=${encodeURIComponent('decision=deny AND seq>=4 AND seq<10')}&limit=2`);
    expect(few.map(seqs)).toEqual([[5, 7], [9]]);
  });

  it('show nothing that no signed head covers', async () => {
    expect(await audited.get('/v1/entries')).toMatchObject({
      status: 503,
      text: expect.stringContaining('"ERR_NO_CHECKPOINT"') as string,
    });
    await audited.append(...issued(2));
    expect(seqs(await page(''))).toEqual([0, 1]);
  });

  it('come with proofs for the head that they are of', async () => {
    await audited.append(...issued(300));
    const { entries, as_of, checkpoint = '', next } = await page('proof=inclusion&after=254&limit=3');
    await audited.append(...issued(1));
    const second = await page(`proof=inclusion&limit=3&after=${next}`);

    const trusted = openCheckpoint(checkpoint, ORIGIN, [parseVerifier(audited.signer.vkey)]);
    expect(as_of).toEqual({ size: 300, root: Buffer.from(trusted.root).toString('base64') });
    expect([...seqs({ entries } as EntryPage), ...seqs(second)]).toEqual([255, 256, 257, 258, 259, 260]);
    for (const { seq, leafHash, proof = [] } of [...entries, ...second.entries])
      expect(
        verifyInclusion(hasher, {
          index: BigInt(seq),
          size: trusted.size,
          leafHash: Buffer.from(leafHash, 'base64'),
          root: trusted.root,
          proof: proof.map((hash) => Buffer.from(hash, 'base64')),
        }),
      ).toEqual({ ok: true });
  });
});

describe('filters', () => {
  beforeEach(async () => {
    await audited.append(
      await audited.world.said('task.started', started, ORCHESTRATOR),
      decided({ decision: 'permit', dataset: 'crm.orders' }),
      decided({ decision: 'deny', dataset: 'hr.salaries', code: 'ERR_DATASET_FORBIDDEN' }),
      decided({ decision: 'permit', agent: PLANNER, tenant: 'acme' }),
      audited.world.wrote('broker', 'lease.issued', {
        ...common,
        leaseId: LEASE,
        callId: CALL,
        agent: ANALYST,
      }),
      // Nobody signed it.
      audited.world.read({ topic: CREDENTIAL_EVENTS, key: TASK, value: Buffer.from('{}'), headers: {} }),
    );
  });

  it.each([
    ['decision=deny', [2]],
    ['decision!=deny AND decision:*', [1, 3]],
    [`agent="${ANALYST}" AND (decision=permit OR type=lease.issued)`, [1, 4]],
    ['dataset:"crm.*" OR dataset=hr.salaries', [1, 2]],
    ['code=ERR_DATASET_FORBIDDEN', [2]],
    ['type:"lease.*"', [4]],
    [`task=${TASK} AND NOT type=call.decided`, [0, 4]],
    ['admitted=false', [5]],
    ['service=broker AND tenant!=corp', [3]],
    [`sender="${ORCHESTRATOR}"`, [0]],
    ['principal="user:maria@corp.example"', [0]],
    ['principal="user:mario@corp.example"', []],
    ['seq>1 AND seq<=3', [2, 3]],
    ['topic="mayfly.task.events.v1" AND offset=0', [0]],
    ['appendedAt>=2020-01-01T00:00:00Z AND appendedAt<2021-01-01T00:00:00Z', []],
    [`lease="${LEASE}"`, [4]],
    [`tool="' OR '1'='1"`, []],
  ])('find by %s', async (filter, expected) => expect(await found(filter)).toEqual(expected));

  it('find a decision by its id, whenever it was', async () => {
    const { entries } = await page('filter=seq%3D2');
    const id = String(entries[0]?.envelope.id);
    expect(await found(`type=call.decided AND id=${id}`)).toEqual([2]);
  });
});

it('finds what came into the log in a window of time, from inclusive, to exclusive', async () => {
  await audited.append(...issued(3));
  await sleep(20);
  const between = new Date().toISOString();
  await sleep(20);
  await audited.append(...issued(2));

  expect(await page(`from=${between}`)).toMatchObject({ range: { first: 3, end: 5 } });
  expect(seqs(await page(`from=${between}`))).toEqual([3, 4]);
  expect(seqs(await page(`to=${between}`))).toEqual([0, 1, 2]);
  expect(seqs(await page(`to=${between}&order=desc&limit=1`))).toEqual([2]);
  expect(seqs(await page('from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z'))).toEqual([]);
});

describe('refusals', () => {
  const refused = async (query: string, id = OPERATOR) => {
    const { status, text } = await audited.get(`/v1/entries?${query}`, id);
    const { code, parameter, offset } = JSON.parse(text) as Record<string, unknown>;
    return { status, code, parameter, offset };
  };

  it.each([
    ['filter=type%3Da%20AND%20colour%3Db', 'ERR_FILTER_FIELD_UNKNOWN', 'filter', 11],
    ['filter=type', 'ERR_FILTER_SYNTAX', 'filter', 4],
    [
      `filter=${Array.from({ length: 21 }, () => 'seq%3D1').join('%20AND%20')}`,
      'ERR_FILTER_TOO_MANY_TERMS',
      'filter',
      200,
    ],
    [`filter=${'('.repeat(9)}`, 'ERR_FILTER_TOO_DEEP', 'filter', 8],
    [`filter=${'x'.repeat(2_049)}`, 'ERR_FILTER_TOO_LONG', 'filter', 2_048],
    ['filter=type%3Ca', 'ERR_FILTER_OPERATOR', 'filter', 4],
    ['filter=seq%3Da', 'ERR_FILTER_VALUE', 'filter', 4],
    ['from=2020-01-01T00:00:00Z', 'ERR_RANGE_TOO_WIDE', 'from', undefined],
    ['from=2020-01-02T00:00:00Z&to=2020-01-01T00:00:00Z', 'ERR_RANGE_INVALID', 'to', undefined],
    ['after=abc', 'ERR_CURSOR_INVALID', 'after', undefined],
    ['limit=501', 'ERR_PARAMETER_INVALID', 'limit', undefined],
    ['colour=red', 'ERR_PARAMETER_UNKNOWN', undefined, undefined],
  ])('answer %s with 400, a code and a place', async (query, code, parameter, offset) => {
    await audited.append(...issued(1));
    expect(await refused(query)).toEqual({ status: 400, code, parameter, offset });
  });

  it('take no cursor of another query, and none that was changed', async () => {
    await audited.append(...issued(3));
    const { next } = await page('type=lease.issued&limit=1');
    const other = { status: 400, code: 'ERR_CURSOR_OF_OTHER_QUERY', parameter: 'after', offset: undefined };
    expect(await refused(`type=call.decided&after=${next}`)).toEqual(other);
    expect(await refused(`type=lease.issued&order=desc&after=${next}`)).toEqual(other);
    expect(await refused(`type=lease.issued&after=${next}A`)).toMatchObject({ code: 'ERR_CURSOR_INVALID' });
    expect(seqs(await page(`type=lease.issued&limit=2&after=${next}`))).toEqual([1, 2]);
  });
});

describe('readers', () => {
  it('are told how often they may ask, and to wait', async () => {
    await audited.append(...issued(1));
    const first = await audited.get('/v1/entries/0', BUSY);
    expect(first.headers.get('ratelimit-policy')).toBe('"reads";q=200;w=4');
    expect(first.headers.get('ratelimit')).toBe('"reads";r=199;t=1');

    const token = await audited.token(BUSY);
    const ask = () =>
      fetch(`${audited.http.url}/v1/entries/0`, { headers: { authorization: `Bearer ${token}` } });
    let limited: Response | undefined;
    for (let i = 0; i < 40 && limited === undefined; i += 1) {
      const answers = await Promise.all(Array.from({ length: 50 }, ask));
      limited = answers.find(({ status }) => status === 429);
    }
    expect(limited?.headers.get('retry-after')).toBe('1');
    expect(limited?.headers.get('ratelimit')).toContain('r=0');
    expect(await limited?.json()).toMatchObject({ code: 'ERR_RATE_LIMITED' });
    expect((await audited.get('/v1/entries/0')).status).toBe(200);
  });

  it('are people too, and each reads what its role is for', async () => {
    await audited.append(await audited.world.said('task.started', started, ORCHESTRATOR));
    const forbidden = { status: 403, text: expect.stringContaining('"ERR_FORBIDDEN"') as string };
    expect(await audited.json<StoryView>(`/v1/tasks/${TASK}/story`, OLGA)).toMatchObject({
      taskId: TASK,
      as_of: { size: 1 },
    });
    for (const path of ['/v1/entries', '/v1/entries/0', '/v1/entries/0/proof', '/v1/stream'])
      expect(await audited.get(path, OLGA)).toMatchObject(forbidden);
    expect(await audited.get(`/v1/tasks/${TASK}/story`, ANALYST)).toMatchObject(forbidden);
    expect((await audited.queued())[0]?.data).toMatchObject({ reader: OLGA, role: 'operator', taskId: TASK });
  });

  it('of a tenant see what is of it, and nothing else', async () => {
    const other = TASK.replace(/1$/, '9');
    await audited.append(
      await audited.world.said('task.started', started, ORCHESTRATOR),
      audited.world.wrote('broker', 'task.accepted', common),
      audited.world.wrote(
        'broker',
        'task.accepted',
        { ...common, taskId: other, tenant: 'acme' },
        { key: other },
      ),
      ...issued(1),
    );
    expect(seqs(await page('', NADIA))).toEqual([1, 3]);
    expect(await found('tenant=acme OR NOT tenant=acme', NADIA)).toEqual([1, 3]);
    expect((await audited.get('/v1/entries/1', NADIA)).status).toBe(200);
    for (const path of ['/v1/entries/2', '/v1/entries/2/proof', '/v1/entries/0'])
      expect(await audited.get(path, NADIA)).toMatchObject({ status: 404 });
    expect((await audited.json<StoryView>(`/v1/tasks/${TASK}/story`, NADIA)).steps).toHaveLength(3);
    expect((await audited.get(`/v1/tasks/${other}/story`, NADIA)).status).toBe(404);
    expect((await audited.get(`/v1/tasks/${other}/story`)).status).toBe(200);
  });
});

it('tells a story as it was when the log had so many entries', async () => {
  await audited.append(await audited.world.said('task.started', started, ORCHESTRATOR));
  const early = await audited.json<StoryView>(`/v1/tasks/${TASK}/story`);
  await audited.append(audited.world.wrote('broker', 'task.accepted', common), ...issued(1));

  const told = (at: string) => audited.json<StoryView>(`/v1/tasks/${TASK}/story${at}`);
  expect((await told('')).steps).toHaveLength(3);
  expect(await told('?at=1')).toEqual(early);
  expect(await told('?at=2')).toMatchObject({ steps: { length: 2 }, as_of: { size: 2 } });
  expect((await audited.get(`/v1/tasks/${TASK}/story?at=0`)).status).toBe(404);
  for (const at of ['4', 'now'])
    expect(await audited.get(`/v1/tasks/${TASK}/story?at=${at}`)).toMatchObject({
      status: 400,
      text: expect.stringContaining('"parameter":"at"') as string,
    });
});

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
