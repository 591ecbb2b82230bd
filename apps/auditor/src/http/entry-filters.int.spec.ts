/** Entries by a filter: what it finds, and what is refused instead of guessed. */
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import { Audited, seqs } from '../../spec/audited.js';
import { READERS } from '../../spec/readers.js';
import { ANALYST, CALL, common, LEASE, OPERATOR, ORCHESTRATOR, started, TASK } from '../../spec/world.js';

const PLANNER = 'spiffe://dev.mayfly/agent/planner';

let audited: Audited;
beforeEach(async () => {
  audited = await Audited.open(READERS);
});
afterEach(() => audited.close());

const issued = (n: number) => audited.issued(n);
const decided = (more: object) => audited.decided(more);
const page = (query: string, id?: string) => audited.page(query, id);
const found = async (filter: string, id?: string) =>
  seqs(await page(`filter=${encodeURIComponent(filter)}`, id));

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
