/** docs/reference/revocation.md from docs/reference/revocation.json, which `npm run conformance` writes. */
import type { Spread } from '../src/conformance/measure.contract.js';
import type { Capabilities, FencingClass } from '../src/provider.js';

export interface Row {
  at: string;
  commit: string;
  /** With its load average of a minute when it was over: who else was at work. */
  machine: { cpus: number; model: string; node: string; platform: string; load: number };
  /** What was measured. */
  target: string;
  fencing: FencingClass;
  capabilities: Capabilities;
  cuts: number;
  refusedMs: Spread;
  provenMs: Spread;
  reconnecting: { trials: number; connections: number; survivors: number };
  live: number;
}

export type Figures = Record<string, Row>;

const CUT: Record<Capabilities['cut'], string> = {
  ends_sessions: 'ends it',
  refuses_next_use: 'refuses its next use',
  new_logins_only: 'leaves it: only new logins are refused',
  at_expiry: 'leaves it until the credential expires',
};
const EXPIRY: Record<Capabilities['expiry'], string> = {
  every_use: 'every use',
  new_logins: 'new logins; what is open goes on until it is cut',
  nothing: 'nothing',
};
const NAMING: Record<Capabilities['naming'], string> = { by_lease: 'the lease', by_target: 'the target' };

export function pageOf(figures: Figures): string {
  const rows = Object.entries(figures).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `# What a revocation really does

\`npm run conformance\` writes this page: it holds every provider to the whole [conformance kit](../how-to/write-a-provider.md) at a real
target, measures, and keeps the figures in [\`revocation.json\`](revocation.json). Times are from the call of \`cut\` by one client, one lease
at a time; from the end of a task over the bus it takes what [performance](performance.md) says of \`end-cut\`. Milliseconds.

## A cut, measured

| provider | a cut of an open session | refused what it does: p50 · p99 · max | proven: p50 · p99 · max | [fencing class](../design/protocol.md#7-proof-by-the-class-of-the-target) |
|---|---|---|---|---|
${lines(rows, ([name, row]) => [link(name), CUT[row.capabilities.cut], spread(row.refusedMs), spread(row.provenMs), row.fencing])}

*Refused*: the first act of a busy session that fails. *Proven*: the target was looked at twice, after the fence, and there was no access.

## A client that does not give up

It logs in again and again on several connections and at once does what could make it outlive its login (for \`postgres\`: \`SET ROLE\`). A survivor
is a connection on which anything was done that was begun after the proof.

| provider | survivors | cuts | connections | leases that lived at once, and ended together |
|---|---|---|---|---|
${lines(rows, ([name, row]) => [link(name), row.reconnecting.survivors, row.reconnecting.trials, row.reconnecting.connections, row.live])}

## What each can do

| provider | who names the principal | the target's own expiry stops | lists its principals | renews | a lease lasts |
|---|---|---|---|---|---|
${lines(rows, ([name, { capabilities }]) => [link(name), NAMING[capabilities.naming], EXPIRY[capabilities.expiry], yes(capabilities.list), yes(capabilities.renew), `${capabilities.ttl.minMs / 1_000} s to what its target allows`])}

## Measured at

*Load*: the machine's load average at the end. Above the number of its processors somebody else was at work, and times are longer than Mayfly's.

| provider | target | cuts | when, at which commit | machine |
|---|---|---|---|---|
${lines(rows, ([name, row]) => [link(name), row.target, row.cuts, `${row.at.slice(0, 10)}, \`${row.commit}\``, machine(row)])}
`;
}

const lines = (rows: [string, Row][], cells: (row: [string, Row]) => (string | number)[]): string =>
  rows.map((row) => `| ${cells(row).join(' | ')} |`).join('\n');
const link = (name: string) => `[\`${name}\`](../providers/${name}.md)`;
const spread = ({ p50, p99, max }: Spread) => `${p50} · ${p99} · ${max}`;
const yes = (can: boolean) => (can ? 'yes' : 'no');
const machine = ({ machine: { cpus, model, node, platform, load } }: Row) =>
  `${cpus} × ${model}, Node ${node}, ${platform}, load ${load}`;
