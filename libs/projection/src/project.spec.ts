import { outboundSchemas } from '#events/outbound.js';
import { DELIVERY } from '#events/topics.js';
import { derive } from './derive.js';
import { project, PROJECTED, PROJECTED_TOPIC } from './project.js';

const AT = '2026-11-24T12:00:00.000Z';
const entry = (
  type: string,
  event: unknown,
  service: string | undefined = PROJECTED.get(type),
  more = {},
) => ({
  ...{ seq: 7, repeated: false },
  envelope: { id: 'e', topic: PROJECTED_TOPIC, type, service, event },
  ...more,
});
const ids = {
  taskId: 't',
  leaseId: 'l',
  approvalId: 'a',
  target: 'shop',
  principal: 'p',
  agent: 'spiffe://a',
};
const event = { ...ids, at: AT, decision: 'permit', cutAt: AT, notAfter: AT };
const tablesOf = (changes: readonly { table: string }[]) => changes.map(({ table }) => table);

it.each(Object.keys(outboundSchemas))('knows whether %s changes anything', (type) => {
  expect(project(entry(type, event, PROJECTED.get(type) ?? 'broker')).length > 0).toBe(PROJECTED.has(type));
});

it.each([...PROJECTED])('takes nobody’s word for %s but that of the %s', (type, service) => {
  const other = service === 'broker' ? 'revoker' : 'broker';
  expect(project(entry(type, event, other))).toEqual([]);
  expect(project(entry(type, event, 'auditor'))).toEqual([]);
});

it('hears nothing of what agents are told, or of what is no event of ours', () => {
  const told = entry('lease.renewed', event);
  expect(project({ ...told, envelope: { ...told.envelope, topic: DELIVERY } })).toEqual([]);
  for (const type of ['constructor', 'task.started', 7, undefined])
    expect(project({ ...told, envelope: { ...told.envelope, type } })).toEqual([]);
});

it.each([...PROJECTED.keys()])('is at a loss for nothing that a leaf of %s may lack', (type) => {
  for (const strange of [undefined, null, [], 'text', {}, { ...ids, at: 'then', decision: 7, rights: {} }])
    expect(() => project(entry(type, strange))).not.toThrow();
});

it('says of a decision how often, by whom, and for which lease', () => {
  const decided = {
    ...event,
    tenant: 'corp',
    tool: 'sql.query',
    code: undefined,
    model: { name: 'm', version: '1' },
  };
  const changes = project(entry('call.decided', decided));
  expect(tablesOf(changes)).toEqual(['decision_count', 'agent_seen', 'access_grant']);
  expect(changes[0]?.facts).toMatchObject({
    day: '2026-11-24',
    tenant: 'corp',
    dataset: '',
    count: 1,
    seq_first: 7,
  });
  expect(changes[1]?.facts).toMatchObject({ calls: 1, permitted: 1, refused: 0, models: ['m 1'] });
  expect(tablesOf(project(entry('call.decided', decided, 'broker', { repeated: true })))).toEqual([
    'access_grant',
  ]);
});

it('does not grant what nobody knows the end of', () => {
  const [change] = project(entry('lease.issued', { ...event, notAfter: undefined }));
  expect(change?.facts).not.toHaveProperty('seq_granted');
});

describe('access outlives its task', () => {
  const lease = {
    seq_granted: 1,
    expires_at_ms: 90,
    cut_at_ms: 70,
    principal: null,
    task_ended_at_ms: null,
    outlived_ms: null,
  };
  const task = { principal: 'person:x', ended_at_ms: 50 };

  it.each([
    ['until it was cut', lease, 20],
    ['until it had run out, where it was cut later', { ...lease, expires_at_ms: 60 }, 10],
    ['not at all, where it was cut before', { ...lease, cut_at_ms: 40 }, 0],
    ['for how long nobody knows yet', { ...lease, cut_at_ms: null }, null],
    ['not, where it never was', { ...lease, seq_granted: null }, null],
  ])('%s', (_what, row, outlivedMs) => {
    expect(derive(row, task)).toMatchObject({
      outlived_ms: outlivedMs,
      principal: 'person:x',
      task_ended_at_ms: 50,
    });
  });

  it('as long as its task goes on, not', () => {
    expect(derive(lease, { ...task, ended_at_ms: null }).outlived_ms).toBeNull();
    expect(derive(lease, undefined)).toBe(lease);
  });
});
