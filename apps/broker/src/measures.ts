/** What the broker shows of itself: counted from what it told the bus, once that is committed. */
import type { OutboundEvent } from '#events/outbound.js';
import type { Metrics } from '#telemetry/metrics.js';

/** What is asked over HTTP. */
export type Route =
  | 'task.started'
  | 'task.amended'
  | 'task.ended'
  | 'tool.called'
  | 'lease.renewal_requested'
  | 'token'
  | 'introspect'
  | 'revoke'
  | 'approvals'
  | 'drift'
  | 'suspend'
  | 'resume'
  | 'evaluation'
  | 'evaluations';

export type Measures = ReturnType<typeof createMeasures>;

export function createMeasures(metrics: Metrics) {
  const rejected = metrics.counter({
    name: 'events_rejected_total',
    help: 'Task events that did nothing, by the code of the refusal.',
    labels: ['code'],
  });
  const calls = metrics.counter({
    name: 'calls_decided_total',
    help: 'Tool calls by decision.',
    labels: ['decision'],
  });
  const signals = metrics.counter({
    name: 'drift_signals_total',
    help: 'Signals of drift that were told: of the others only the number has grown.',
    labels: ['signal'],
  });
  const suspensions = metrics.counter({
    name: 'tasks_suspended_total',
    help: 'Tasks suspended, by cause.',
    labels: ['cause'],
  });
  const outcomes = metrics.counter({
    name: 'lease_outcomes_total',
    help: 'Leases by what became of their intent.',
    labels: ['outcome'],
  });
  const renewals = metrics.counter({
    name: 'lease_renewals_total',
    help: 'Renewals by what they came to: `renewed`, or the code of the refusal.',
    labels: ['outcome'],
  });
  const approvals = metrics.gauge({
    name: 'approvals_open',
    help: 'Calls that wait for people.',
  });
  const answers = metrics.counter({
    name: 'approvals_total',
    help: 'Approvals by what became of them; each grant of several counts.',
    labels: ['outcome'],
  });
  const issueSeconds = metrics.histogram({
    name: 'issue_seconds',
    help: 'From the intent of a lease to its issue.',
  });
  const breakersOpen = metrics.gauge({
    name: 'create_breakers_open',
    help: 'Targets at which nothing is created for now, because they did not answer.',
  });
  const peerRestored = metrics.counter({
    name: 'peer_store_restored_total',
    help: 'Records of the revoker whose counter another record had. Always 0, or its database was restored and it runs.',
  });
  const unrecorded = metrics.counter({
    name: 'http_refusals_unrecorded_total',
    help: 'Requests refused before anybody was believed, too many at once to be written down.',
  });
  const requests = metrics.counter({
    name: 'http_requests_total',
    help: 'Requests by what they asked and the status of the reply.',
    labels: ['route', 'status'],
  });
  const requestSeconds = metrics.histogram({
    name: 'http_request_seconds',
    help: 'From the headers of a request to its reply; a call waits for its outcome.',
    labels: ['route'],
  });
  return {
    answered(route: Route, status: number, afterMs: number): void {
      requests.inc({ route, status });
      requestSeconds.observe({ route }, afterMs / 1_000);
    },
    refusalUnrecorded(): void {
      unrecorded.inc();
    },
    approvalsOpen(count: number): void {
      approvals.set(count);
    },
    breakersOpen(count: number): void {
      breakersOpen.set(count);
    },
    peerRestored(): void {
      peerRestored.inc();
    },
    /** Requires that the transaction of these events is committed. */
    count(events: readonly OutboundEvent[]): void {
      for (const { type, data } of events) {
        if (type === 'event.rejected') rejected.inc({ code: data.code }, data.count ?? 1);
        if (type === 'drift.signalled') signals.inc({ signal: data.signal });
        if (type === 'task.suspended') suspensions.inc({ cause: data.cause });
        if (type === 'call.decided') calls.inc({ decision: data.decision });
        if (type.startsWith('approval.')) answers.inc({ outcome: type.slice('approval.'.length) });
        if (type === 'break_glass.used') answers.inc({ outcome: 'break_glass' });
        if (type === 'lease.issued') outcomes.inc({ outcome: 'issued' });
        if (type === 'lease.abandoned') outcomes.inc({ outcome: data.why });
        if (type === 'lease.renewed') renewals.inc({ outcome: 'renewed' });
        if (type === 'lease.renewal_refused') renewals.inc({ outcome: data.code });
      }
    },
    issued(afterMs: number): void {
      issueSeconds.observe(afterMs / 1_000);
    },
  };
}
