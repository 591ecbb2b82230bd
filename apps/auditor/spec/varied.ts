/** A log of many kinds of events, in an order that no service promises: what projections are made of, and what they must not fall for. */
import type { BusRecord } from '#bus/bus.js';
import { DELIVERY } from '#events/topics.js';
import type { World } from './world.js';
import { ANALYST, common, ORCHESTRATOR, started } from './world.js';

const BEGAN_MS = Date.parse('2026-11-24T12:00:00.000Z');
const at = (second: number): string => new Date(BEGAN_MS + second * 1_000).toISOString();
const idOf = (kind: number, n: number): string =>
  `01928c5e-0000-7${String(kind).padStart(3, '0')}-8000-${n.toString(16).padStart(12, '0')}`;
const AGENTS = [ANALYST, 'spiffe://dev.mayfly/agent/planner', 'spiffe://dev.mayfly/agent/executor'];
const DATASETS = ['crm.orders', 'crm.customers', undefined];
const CAUSES = ['task_ended', 'expired', 'operator'];

/** @param tasks each with two leases, and three decisions @returns about 20 records for each */
export async function variedRecords(world: World, tasks: number): Promise<BusRecord[]> {
  const records: BusRecord[] = [];
  const said = (service: 'broker' | 'revoker', type: string, data: object, id?: string) =>
    records.push(world.wrote(service, type, { ...common, ...data }, id === undefined ? {} : { id }));

  said('broker', 'policy.activated', {
    ...{ policySet: 'sha256:aa', added: ['p1'], removed: [], changed: [], policies: 1, by: 'dev', at: at(0) },
  });
  for (let n = 0; n < tasks; n += 1) {
    const [agent, dataset] = [AGENTS[n % 3], DATASETS[n % 3]];
    const [taskId, tenant] = [idOf(1, n), n % 4 === 0 ? 'acme' : 'corp'];
    const of = { taskId, tenant };
    const start = n * 10;
    if (n % 5 === 0) records.push(await world.said('task.started', { ...started, taskId }, ORCHESTRATOR));
    const principal = { id: `user:person${n % 7}@corp.example`, kind: 'human', proved: 'token' };
    const accepted = { ...of, orchestrator: ORCHESTRATOR, risk: 'low', principal, at: at(start) };
    // Sometimes heard of late.
    if (n % 6 !== 0) said('broker', 'task.accepted', accepted);
    for (const which of [0, 1]) {
      const leaseId = idOf(2, n * 2 + which);
      const its = { ...of, leaseId, callId: idOf(3, n * 2 + which), agent };
      const call = { tool: 'sql.query', ...(dataset === undefined ? {} : { dataset }), action: 'read' };
      const decisionId = world.id();
      const decided = { ...its, ...call, decision: 'permit', policySet: 'sha256:aa', at: at(start + 1) };
      const model = { name: 'model', version: String(n % 3) };
      said('broker', 'call.decided', { ...decided, model }, decisionId);
      const plan = {
        provider: 'postgres',
        target: 'shop',
        principal: `mayfly_${n}_${which}`,
        rights: ['read'],
      };
      said('broker', 'lease.intended', { ...its, ...plan, at: at(start + 1) });
      if (n % 9 === 8) {
        said('broker', 'lease.abandoned', { ...its, answered: false, at: at(start + 2) });
        continue;
      }
      const issuedId = world.id();
      const issued = { ...its, notAfter: at(start + 60), incarnation: 'i', at: at(start + 2) };
      said('broker', 'lease.issued', issued, issuedId);
      if (n % 3 === 0)
        for (const renewals of [1, 2])
          said('broker', 'lease.renewed', {
            ...{ ...its, renewals, notAfter: at(start + 60 + renewals * 60), at: at(start + 30 * renewals) },
          });
      // What agents are told is not told of the lease.
      records.push(
        world.wrote(
          'broker',
          'lease.renewed',
          { taskId, leaseId, agent, notAfter: at(9_999) },
          { topic: DELIVERY },
        ),
      );
      said('revoker', 'lease.revocation_requested', {
        ...its,
        cause: 'task_ended',
        requestedAt: at(start + 40),
        at: at(start + 40),
      });
      if (n % 5 === 0)
        said('revoker', 'lease.revocation_unproven', { ...its, attempts: 3, at: at(start + 50) });
      const cut = {
        ...its,
        cause: CAUSES[n % 3],
        cutAt: at(start + 41 + n),
        exposureMs: 1_000,
        at: at(start + 42 + n),
      };
      if (n % 7 !== 3) said('revoker', 'lease.access_cut', cut);
      if (n % 7 !== 3 && which === 0)
        said('revoker', 'lease.removed', { ...its, cause: 'task_ended', at: at(start + 90) });
      // A producer that heard no answer sends again; somebody else says what is not theirs to say.
      if (n % 4 === 1) said('broker', 'call.decided', { ...decided, model }, decisionId);
      if (n % 4 === 2) said('broker', 'lease.issued', issued, issuedId);
      if (n % 4 === 3) said('broker', 'lease.access_cut', { ...cut, cutAt: at(start + 3) });
      if (n % 8 === 5)
        said('revoker', 'lease.access_cut', { ...cut, cause: 'orphan', cutAt: at(start + 500) });
    }
    said('broker', 'call.decided', {
      ...{ ...of, agent, tool: 'sql.query', dataset: 'hr.salaries', action: 'read', callId: idOf(4, n) },
      ...{ decision: 'deny', code: 'ERR_DATASET_FORBIDDEN', policySet: 'sha256:aa', at: at(start + 3) },
    });
    approval(said, n, { ...of, agent, callId: idOf(5, n), approvalId: idOf(6, n) }, start);
    if (n % 5 !== 4) said('broker', 'task.ended', { ...of, outcome: 'completed', at: at(start + 40) });
    if (n % 6 === 0) said('broker', 'task.accepted', accepted);
    // Nobody signed it.
    records.push(
      world.read({ topic: records[0]?.topic ?? '', key: taskId, value: Buffer.from('{}'), headers: {} }),
    );
  }
  for (const [n, type] of ['found', 'found', 'gone', 'found'].entries())
    said('revoker', `standing_access.${type}`, {
      ...{ target: 'shop', provider: 'postgres', principal: 'report_bot', neverExpires: true, owners: [] },
      ...{ reaches: [{ dataset: 'crm.orders', actions: ['read'] }], ways: ['grant'], why: 'no_access' },
      // The last one was told before, and comes again.
      at: at(n === 3 ? 1 : n),
    });
  return records;
}

type Say = (service: 'broker' | 'revoker', type: string, data: object) => void;

function approval(said: Say, n: number, its: object, start: number): void {
  const [olga, otto] = ['user:olga@corp.example', 'user:otto@corp.example'];
  said('broker', 'approval.requested', {
    ...{ ...its, tool: 'mail.send', action: 'send', target: 'mail', approval: 'two-person', needed: 2 },
    ...{
      notBy: [`user:person${n % 7}@corp.example`],
      policySet: 'sha256:aa',
      expiresAt: at(start + 900),
      at: at(start + 5),
    },
  });
  if (n % 3 === 0) return;
  said('broker', 'approval.granted', { ...its, by: olga, granted: 1, needed: 2, at: at(start + 8) });
  if (n % 3 === 1) {
    said('broker', 'approval.refused', { ...its, by: otto, at: at(start + 9) });
    said('broker', 'approval.expired', { ...its, why: 'denied', at: at(start + 9) });
    return;
  }
  said('broker', 'approval.granted', { ...its, by: otto, granted: 2, needed: 2, at: at(start + 9) });
  said('broker', 'approval.consumed', {
    ...its,
    leaseId: idOf(2, n * 2),
    approvers: [olga, otto],
    at: at(start + 10),
  });
  if (n % 2 === 0) said('broker', 'break_glass.used', { ...its, by: olga, at: at(start + 10) });
  if (n % 4 === 0)
    said('broker', 'approval.withdrawn', { ...its, by: otto, leaseId: idOf(2, n * 2), at: at(start + 20) });
}
