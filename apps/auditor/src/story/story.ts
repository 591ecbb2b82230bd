/** A task's story: what the log says of it, in sentences. Pure. Nothing is told that is not in a leaf, or opened against one. */
import { CREDENTIAL_EVENTS, DELIVERY, REVOCATIONS, TASK_EVENTS } from '#events/topics.js';
import { envelopeOf, openCommitments, type Envelope, type KeptPayload } from '../log/entries.js';
import type { Json } from '../leaf/project.js';
import { Facts, nameOf } from './facts.js';
import { deliveryLines, inboundLines, outboundLines, revocationLine } from './lines.js';
import { inOrder } from './order.js';
import type { TaskEntry } from './task-entries.js';

export interface StoryStep {
  seq: number;
  /** When the bus appended the record, RFC 3339. */
  at: string;
  type: string;
  /** The workload or service that was proved to have written it. */
  by: string;
  line: string;
  /** Where its inclusion proof is. */
  proof: string;
}

export interface Story {
  taskId: string;
  steps: StoryStep[];
  /** True if there are more steps than are told. */
  truncated: boolean;
  /** The steps as text, a line each. */
  text: string;
}

export function tellStory(
  taskId: string,
  entries: readonly TaskEntry[],
  payloads: ReadonlyMap<bigint, KeptPayload>,
  truncated: boolean,
): Story {
  const told = inOrder(firstOfEach(entries.map((entry) => stepOf(entry, payloads.get(entry.seq)))));
  const steps = told.map(({ step }) => step);
  const text = steps.map(({ seq, at, line }) => `${at.replace('T', ' ')}  #${seq}  ${line}`).join('\n');
  return { taskId, steps, truncated, text };
}

function stepOf(entry: TaskEntry, payload: KeptPayload | undefined) {
  const envelope = envelopeOf(entry.leaf);
  const { event } = envelope;
  const type = textOf(envelope.type) ?? 'unknown';
  const by = textOf(envelope.sender) ?? textOf(envelope.service) ?? 'unknown';
  const opened = payload === undefined ? new Map<string, unknown>() : openCommitments(envelope, payload);
  const line = lineOf(entry.topic, type)?.(new Facts(event, opened), nameOf(by)) ?? `${nameOf(by)}: ${type}`;
  const seq = Number(entry.seq);
  const step: StoryStep = {
    seq,
    at: new Date(entry.appendedAtMs).toISOString(),
    type,
    by,
    line,
    proof: `/v1/entries/${seq}/proof`,
  };
  return {
    step,
    seq: entry.seq,
    appendedAtMs: entry.appendedAtMs,
    id: textOf(envelope.id),
    causedBy: causeOf(envelope),
  };
}

/** A record that was sent twice is two entries and one step. */
function firstOfEach<T extends { id: string | undefined; step: StoryStep }>(steps: readonly T[]): T[] {
  const seen = new Set<string>();
  return steps.filter(({ id, step }) => {
    const key = `${id} ${step.by}`;
    if (id === undefined || !seen.has(key)) return seen.add(key);
    return false;
  });
}

function lineOf(topic: string, type: string) {
  const tables: Record<string, Partial<Record<string, (typeof deliveryLines)['lease.ended']>>> = {
    [TASK_EVENTS]: inboundLines,
    [CREDENTIAL_EVENTS]: outboundLines,
    [DELIVERY]: deliveryLines,
    [REVOCATIONS]: {},
  };
  const table = tables[topic] ?? {};
  if (topic === REVOCATIONS) return revocationLine;
  return Object.hasOwn(table, type) ? table[type] : undefined;
}

function causeOf({ event }: Envelope): string | undefined {
  const facts = new Facts(event, new Map());
  return facts.has('causedBy') ? facts.text('causedBy') : undefined;
}

const textOf = (value: Json | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;
