/**
 * What must be true of one task when everything has settled: each accepted event has had one effect, each call one answer,
 * each lease one outcome, one answer to a renewal and one end. Pure: records in, findings out. A record sent twice counts once, by its `ce_id`.
 */

/**
 * @typedef {{ leaseId: string, provider: string, isIssued: boolean, principal: string, agent: string, lineage: object[], notAfterMs: number, endedAtMs: number }} Lease
 *   `notAfterMs`: as it was meant, or last renewed
 * @param {ReturnType<import('./records.mjs').Records['of']>} records of the task
 * @returns {{ lost: string[], duplicated: string[], leases: Lease[] }}
 */
export function judgeTask(task, records) {
  const found = new Findings(task.taskId);
  const facts = once(records, found);
  const of = (type, wanted = () => true) => facts.filter((fact) => fact.type === type && wanted(fact));
  const rejections = (ceId) => of('event.rejected', ({ data }) => data.causedBy === ceId).length;
  const said = (type, ceId) => of(type, ({ data }) => data.causedBy === ceId && byService(data)).length;

  const judged = said('task.accepted', task.startId) + said('task.refused', task.startId);
  found.exactly(1, judged + rejections(task.startId), 'verdicts on the start');
  const ends = of('task.ended', ({ topic }) => topic.includes('credential'));
  found.exactly(1, ends.length, 'ends told by the broker');
  found.exactly(0, rejections(task.endId), 'rejections of the end');
  const leases = of('lease.intended');
  for (const call of task.calls) {
    judgeCall(call, leases, of, rejections, found);
    judgeRenewal(call, of, rejections, found);
  }
  for (const { data } of leases) judgeLease(data, of, found);
  const told = facts.find(({ type, topic }) => type === 'task.ended' && topic.includes('task'));
  return {
    lost: found.lost,
    duplicated: found.duplicated,
    leases: leases.map(({ data }) => ({
      leaseId: data.leaseId,
      provider: data.provider,
      isIssued: of('lease.issued', (fact) => fact.data.leaseId === data.leaseId).length > 0,
      principal: data.principal,
      agent: data.agent,
      lineage: data.lineage,
      notAfterMs: lastEndOf(data, of),
      endedAtMs: Math.min(
        told?.appendedAtMs ?? Infinity,
        lastEndOf(data, of),
        ...of('lease.abandoned', (fact) => fact.data.leaseId === data.leaseId).map(
          (fact) => fact.appendedAtMs,
        ),
      ),
    })),
  };
}

function judgeCall({ callId, ceIds }, leases, of, rejections, found) {
  const ofCall = ({ data }) => data.callId === callId;
  const call = `call ${callId}:`;
  const decided = of('call.decided', ofCall);
  const intended = leases.filter(ofCall);
  const issued = of('lease.issued', ofCall);
  const abandoned = of('lease.abandoned', ofCall);
  const delivered = of('credential.delivered', ofCall);
  const refused = of('call.refused', ofCall);
  const rejected = ceIds.filter((ceId) => rejections(ceId) > 0).length;

  for (const ceId of ceIds) found.atMost(1, rejections(ceId), `${call} rejections of one event`);
  if (rejected < ceIds.length) found.atLeast(1, decided.length, `${call} decisions`);
  // Decided once, and once more for each lease that came to nothing.
  found.atMost(1 + abandoned.length, decided.length, `${call} decisions`);
  // What policy permitted and a target that is away did not let us intend has a code instead of a lease.
  const permits = decided
    .filter(({ data }) => data.decision === 'permit' && data.code === undefined)
    .map(({ data }) => data.leaseId);
  found.same(
    permits,
    intended.map(({ data }) => data.leaseId),
    `${call} permits and intents`,
  );
  found.atMost(1, intended.length - abandoned.length, `${call} leases not abandoned`);
  found.atLeast(1, delivered.length + refused.length, `${call} answers`);
  found.atMost(ceIds.length, delivered.length + refused.length, `${call} answers`);
  found.atMost(1, new Set(delivered.map(({ text }) => text)).size, `${call} envelopes`);
  if (issued.length > 0) found.atLeast(1, delivered.length, `${call} envelopes of an issued lease`);
  for (const { data } of delivered)
    found.exactly(
      1,
      issued.filter((lease) => lease.data.leaseId === data.leaseId).length,
      `${call} leases issued of a delivered envelope`,
    );
}

/** Asked for more, an agent gets one answer; what comes of the lease is judged like that of any other. */
function judgeRenewal({ renewal }, of, rejections, found) {
  if (!renewal?.leaseId) return;
  const lease = `lease ${renewal.leaseId}:`;
  const decided = (type) =>
    of(type, ({ topic, data }) => topic.includes('credential.events') && data.causedBy === renewal.ceId)
      .length;
  const told = (type) =>
    of(type, ({ topic, data }) => topic.includes('delivery') && data.leaseId === renewal.leaseId).length;
  const refused = decided('lease.renewal_refused') + rejections(renewal.ceId);
  found.exactly(1, decided('lease.renewed') + refused, `${lease} decisions on its renewal`);
  found.exactly(decided('lease.renewed'), told('lease.renewed'), `${lease} notices that it was renewed`);
  found.exactly(refused, told('lease.renewal_refused'), `${lease} notices that it was not`);
}

/** As it was meant, or last renewed. */
const lastEndOf = ({ leaseId, notAfter }, of) =>
  Math.max(
    Date.parse(notAfter),
    ...of('lease.renewed', ({ data }) => data.leaseId === leaseId).map(({ data }) =>
      Date.parse(data.notAfter),
    ),
  );

function judgeLease({ leaseId }, of, found) {
  const ofLease = (type) => of(type, ({ data }) => data.leaseId === leaseId).length;
  const lease = `lease ${leaseId}:`;
  found.exactly(1, ofLease('lease.issued') + ofLease('lease.abandoned'), `${lease} outcomes`);
  found.exactly(1, ofLease('lease.revocation_requested'), `${lease} revocation requests`);
  found.exactly(1, ofLease('lease.access_cut'), `${lease} proofs of its cut`);
  found.exactly(1, ofLease('lease.removed'), `${lease} removals`);
  found.exactly(ofLease('lease.issued'), ofLease('lease.ended'), `${lease} notices to its agent`);
}

const byService = ({ actor }) => typeof actor === 'string';

/** @returns the first of each; the same id with other bytes is a finding */
function once(records, found) {
  const first = new Map();
  for (const record of records) {
    const key = `${record.topic} ${record.ceId}`;
    const known = first.get(key);
    if (known === undefined) first.set(key, record);
    else if (known.text !== record.text)
      found.duplicated.push(`${found.about} id ${record.ceId} says two things`);
  }
  return [...first.values()];
}

class Findings {
  lost = [];
  duplicated = [];

  constructor(taskId) {
    this.about = `task ${taskId}:`;
  }

  exactly(wanted, count, what) {
    this.atLeast(wanted, count, what);
    this.atMost(wanted, count, what);
  }

  atLeast(wanted, count, what) {
    if (count < wanted) this.lost.push(`${this.about} ${what}: ${count}, not ${wanted}`);
  }

  atMost(wanted, count, what) {
    if (count > wanted) this.duplicated.push(`${this.about} ${what}: ${count}, not ${wanted}`);
  }

  same(wanted, there, what) {
    for (const each of wanted) if (!there.includes(each)) this.lost.push(`${this.about} ${what}: ${each}`);
    for (const each of there)
      if (!wanted.includes(each)) this.duplicated.push(`${this.about} ${what}: ${each}`);
  }
}
