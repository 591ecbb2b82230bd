import { Audited } from '../../spec/audited.js';
import { variedRecords } from '../../spec/varied.js';
import { ANALYST, common, OPERATOR, TASK } from '../../spec/world.js';
import { EVIDENCE_NAMES, type EvidenceName } from '../evidence/queries.js';
import { evidencePage, type EvidenceList, type EvidencePage } from './evidence-schemas.js';

const NADIA = 'user:nadia@corp.example';
const OLGA = 'user:olga@corp.example';
const TASKS = 12;
/** When the events of the log say that they were. */
const DAY = 'from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z';

let audited: Audited;
let records: number;
beforeAll(async () => {
  audited = await Audited.open(
    new Map([
      [OPERATOR, { id: OPERATOR, roles: ['auditor' as const] }],
      [OLGA, { id: OLGA, roles: ['operator' as const] }],
      [NADIA, { id: NADIA, roles: ['auditor' as const], tenants: ['acme'] }],
    ]),
  );
  const varied = await variedRecords(audited.world, TASKS);
  records = varied.length;
  await audited.append(...varied);
});
afterAll(() => audited.close());

const WINDOWED: readonly EvidenceName[] = ['access', 'outlived', 'approvals', 'decisions'];
const pathOf = (name: EvidenceName, query = '') =>
  `/v1/evidence/${name}?${[...(WINDOWED.includes(name) && !query.includes('from=') ? [DAY] : []), query].join('&')}`;
const ask = (name: EvidenceName, query = '', id = OPERATOR) =>
  audited.json<EvidencePage>(pathOf(name, query), id);
async function all(name: EvidenceName, query = '', id = OPERATOR): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (let after = ''; ;) {
    const page = await ask(name, `${query}${after}`, id);
    rows.push(...page.rows);
    if (page.next === null) return rows;
    after = `&after=${page.next}`;
  }
}

it('lists its questions, with what each takes', async () => {
  const { queries } = await audited.json<EvidenceList>('/v1/evidence');
  expect(queries.map(({ name }) => name)).toEqual(EVIDENCE_NAMES);
  expect(queries[0]).toMatchObject({
    name: 'access',
    parameters: expect.arrayContaining(['from', 'to']) as string[],
  });
});

it.each(EVIDENCE_NAMES)('answers %s as it says it does, and of which state of the log', async (name) => {
  const page = await ask(name);
  expect(evidencePage.parse(page)).toMatchObject({ query: name, as_of: { size: records } });
});

it.each(EVIDENCE_NAMES)('answers %s in pages that come to the same', async (name) => {
  const whole = await all(name);
  expect(await all(name, 'limit=3')).toEqual(whole);
  if (name !== 'undecided') expect(whole.length).toBeGreaterThan(0);
});

describe('says', () => {
  // Lease 2n and 2n + 1 of task n: from 10n + 2 seconds, cut at 10n + 41 + n unless n % 7 = 3, and abandoned where n % 9 = 8.
  const at = (second: number) =>
    new Date(Date.parse('2026-11-24T12:00:00.000Z') + second * 1_000).toISOString();
  const tasksOf = (rows: Record<string, unknown>[]) =>
    [...new Set(rows.map(({ taskId }) => parseInt(String(taskId).slice(-12), 16)))].sort((a, b) => a - b);

  it('who could get at what in a window', async () => {
    // Task 0 was renewed and cut at second 41; task 5 was cut again later, after it had run out.
    const rows = await all('access', `from=${at(43)}&to=${at(44)}`);
    expect(tasksOf(rows)).toEqual([1, 2, 3, 4]);
    expect(await all('access', `from=${at(43)}&to=${at(44)}&dataset=crm.customers`)).toMatchObject([
      {
        dataset: 'crm.customers',
        target: 'shop',
        account: 'mayfly_4_1',
        cutAt: at(85),
        policySet: 'sha256:aa',
      },
      { account: 'mayfly_4_0' },
      { account: 'mayfly_1_1' },
      { account: 'mayfly_1_0' },
    ]);
  });

  it('what outlived its task, the longest first, and how it is spread', async () => {
    const page = await ask('outlived');
    const outlived = page.rows.map(({ outlivedMs }) => Number(outlivedMs));
    expect(outlived).toEqual([...outlived].sort((a, b) => b - a));
    expect(page.summary).toMatchObject({ open: 4, maxMs: Math.max(...outlived), outlived: page.rows.length });
    expect((await all('outlived', 'minMs=5000')).every(({ outlivedMs }) => Number(outlivedMs) >= 5_000)).toBe(
      true,
    );
  });

  it('what is not proven gone, and what of it should be', async () => {
    expect(tasksOf(await all('open'))).toEqual([3, 10]);
    expect(tasksOf(await all('overdue'))).toEqual([3, 10]);
  });

  it('that nothing was granted without a decision; and what was, where it was', async () => {
    expect(await all('undecided')).toEqual([]);
    const other = await Audited.open();
    try {
      const issued = { ...common, leaseId: TASK, callId: TASK, agent: ANALYST, notAfter: at(60), at: at(1) };
      await other.append(other.world.wrote('broker', 'lease.issued', issued));
      expect((await other.json<EvidencePage>('/v1/evidence/undecided')).rows).toMatchObject([
        { leaseId: TASK, granted: 0 },
      ]);
    } finally {
      await other.close();
    }
  });

  it('what people were asked, and what came of it', async () => {
    const rows = await all('approvals');
    expect(rows).toHaveLength(TASKS);
    const states = rows.map(({ state }) => state);
    expect([...new Set(states)].sort()).toEqual(['consumed', 'pending', 'refused', 'withdrawn']);
    expect(await all('approvals', 'state=refused')).toHaveLength(
      states.filter((state) => state === 'refused').length,
    );
    const [consumed] = await all('approvals', 'state=consumed&limit=1');
    expect(consumed).toMatchObject({
      needed: 2,
      approvers: [expect.stringContaining('person:'), expect.anything()],
    });
  });

  it('what was decided how often', async () => {
    const denied = await all('decisions', 'decision=deny');
    expect(denied.reduce((sum, row) => sum + Number(row.count), 0)).toBe(TASKS);
    expect(denied[0]).toMatchObject({
      code: 'ERR_DATASET_FORBIDDEN',
      dataset: 'hr.salaries',
      day: '2026-11-24',
    });
  });

  it('which agents there are, and what became of their calls', async () => {
    const [analyst] = await all('agents', `agent=${ANALYST}`);
    expect(analyst).toMatchObject({ agent: ANALYST, models: ['model 0'] });
    const calls = (await all('agents')).map(({ calls, permitted, refused }) => [
      calls,
      Number(permitted) + Number(refused),
    ]);
    for (const [sum, parts] of calls) expect(sum).toBe(parts);
  });

  it('which policies were in force, and who could get at data without a lease', async () => {
    expect(await all('policies')).toMatchObject([{ policySet: 'sha256:aa', activated: 0 }]);
    // It was found again by a record that is older than the one that said it is gone.
    expect(await all('standing')).toMatchObject([
      { target: 'shop', foundAt: at(0), goneAt: at(2), why: 'no_access' },
    ]);
  });
});

it('shows of a tenant what is of it, and nothing else', async () => {
  for (const name of EVIDENCE_NAMES)
    for (const row of await all(name, '', NADIA)) expect(row).toMatchObject({ tenant: 'acme' });
  expect(await all('access', '', NADIA)).not.toEqual([]);
  expect(await all('policies', '', NADIA)).toEqual([]);
});

it('is for auditors, and each read is recorded', async () => {
  expect(await audited.get('/v1/evidence/agents', OLGA)).toMatchObject({ status: 403 });
  await ask('agents', 'limit=1');
  expect((await audited.queued()).map(({ data }) => data.route)).toContain('GET:/v1/evidence/:query');
});

it.each([
  ['nothing', '', 404, 'ERR_EVIDENCE_UNKNOWN'],
  ['constructor', '', 404, 'ERR_EVIDENCE_UNKNOWN'],
  ['agents', 'dataset=x', 400, 'ERR_PARAMETER_UNKNOWN'],
  ['agents', 'limit=101', 400, 'ERR_PARAMETER_INVALID'],
  ['agents', 'agent=%00', 400, 'ERR_PARAMETER_INVALID'],
  ['outlived', 'minMs=1h', 400, 'ERR_PARAMETER_INVALID'],
  ['access', 'from=yesterday', 400, 'ERR_PARAMETER_INVALID'],
  ['access', 'from=2026-01-01T00:00:00Z&to=2026-11-01T00:00:00Z', 400, 'ERR_RANGE_TOO_WIDE'],
  ['access', 'from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z', 400, 'ERR_RANGE_INVALID'],
  ['agents', 'after=abc', 400, 'ERR_CURSOR_INVALID'],
])('of %s does not take %s', async (name, query, status, code) => {
  expect(await audited.get(`/v1/evidence/${name}?${query}`)).toMatchObject({
    ...{ status, text: expect.stringContaining(`"${code}"`) as string },
  });
});

it('takes no cursor of another question', async () => {
  const { next } = await ask('decisions', 'limit=1');
  const { status, text } = await audited.get(`/v1/evidence/agents?after=${next}`);
  expect({ status, text }).toEqual({
    status: 400,
    text: expect.stringContaining('"ERR_CURSOR_OF_OTHER_QUERY"') as string,
  });
});
