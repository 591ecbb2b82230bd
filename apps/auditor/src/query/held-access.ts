/**
 * Was this lease held at an instant? Told from what broker and revoker said of it, by their own clocks: from when it was issued until access was proven
 * cut, or the credential had run out. Pure; times are epoch milliseconds.
 */
import type { Envelope } from '../log/entries.js';
import { instantMs } from './instant.js';

/** What the log has of one lease. */
export interface LeaseRecord {
  leaseId: string;
  /** Its events and the acceptance of its task, in the order of the log. */
  told: readonly { seq: bigint; envelope: Envelope }[];
  /** False where the task has more events than were looked at: an end may be among them. */
  complete: boolean;
}

export interface HeldAccess {
  leaseId: string;
  taskId: string;
  tenant: string | null;
  /** The pseudonym of the person, or the workload, for whom the task runs. */
  principal: string | null;
  agent: string;
  tool: string | null;
  dataset: string | null;
  action: string | null;
  target: string | null;
  /** The account at the target. */
  account: string | null;
  rights: string[];
  /** RFC 3339. */
  from: string;
  /** When it was cut; or, where it was not, when it runs out as it stood at the instant. */
  until: string;
  /** Why it was cut. */
  cause: string | null;
  complete: boolean;
  /** Sequence numbers of the entries that say so. */
  entries: { decided: number | null; issued: number; cut: number | null };
}

/** @returns undefined where it was not held at that instant, as far as the log says */
export function heldAt(record: LeaseRecord, atMs: number): HeldAccess | undefined {
  const issued = last(record, 'broker', 'lease.issued');
  if (issued === undefined) return undefined;
  const from = textOf(issued, 'at');
  if (!isBy(from, atMs)) return undefined;
  const renewed = all(record, 'broker', 'lease.renewed').filter((each) => isBy(textOf(each, 'at'), atMs));
  const notAfter = textOf(renewed.at(-1) ?? issued, 'notAfter');
  const cut = last(record, 'revoker', 'lease.access_cut');
  const until = earlier(notAfter, textOf(cut, 'cutAt'));
  if (from === null || until === null || isBy(until, atMs)) return undefined;

  const intended = last(record, 'broker', 'lease.intended');
  const decided = all(record, 'broker', 'call.decided').find((each) => textOf(each, 'decision') === 'permit');
  const accepted = all(record, 'broker', 'task.accepted')[0];
  return {
    leaseId: record.leaseId,
    taskId: textOf(issued, 'taskId') ?? '',
    tenant: textOf(issued, 'tenant'),
    principal: textOf(accepted, 'principal', 'id'),
    agent: textOf(issued, 'agent') ?? '',
    tool: textOf(decided, 'tool'),
    dataset: textOf(decided, 'dataset'),
    action: textOf(decided, 'action'),
    target: textOf(intended, 'target'),
    account: textOf(intended, 'principal'),
    rights: rightsOf(intended),
    from,
    until,
    cause: until === textOf(cut, 'cutAt') ? textOf(cut, 'cause') : null,
    complete: record.complete,
    entries: { decided: seqOf(decided), issued: Number(issued.seq), cut: seqOf(cut) },
  };
}

type Told = LeaseRecord['told'][number];

/** Whoever else wrote such an event, it says nothing. */
const all = ({ told }: LeaseRecord, service: string, type: string): Told[] =>
  told.filter(({ envelope }) => envelope.service === service && envelope.type === type);
const last = (record: LeaseRecord, service: string, type: string): Told | undefined =>
  all(record, service, type).at(-1);

function textOf(told: Told | undefined, ...path: string[]): string | null {
  let value: unknown = told?.envelope.event;
  for (const member of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, member)) return null;
    value = (value as Record<string, unknown>)[member];
  }
  return typeof value === 'string' ? value : null;
}

function rightsOf(intended: Told | undefined): string[] {
  const { event } = intended?.envelope ?? {};
  const rights = typeof event === 'object' && event !== null && !Array.isArray(event) ? event.rights : [];
  return Array.isArray(rights) ? rights.filter((right) => typeof right === 'string') : [];
}

const seqOf = (told: Told | undefined): number | null => (told === undefined ? null : Number(told.seq));

function isBy(at: string | null, atMs: number): boolean {
  const ms = at === null ? undefined : instantMs(at);
  return ms !== undefined && ms <= atMs;
}

function earlier(a: string | null, b: string | null): string | null {
  const [aMs, bMs] = [a, b].map((each) => (each === null ? undefined : instantMs(each)));
  if (bMs === undefined) return aMs === undefined ? null : a;
  return aMs !== undefined && aMs <= bMs ? a : b;
}
