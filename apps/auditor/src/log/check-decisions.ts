/**
 * Is what somebody keeps of decisions what the log has of them? A leaf holds only keyed digests of what was decided on, so the question
 * comes to where the key is. Compared is what was asked, on what inputs, and what came of it; the words of reasons are only committed to.
 */
import { canonical } from '#events/jcs.js';
import type { Tx } from '#store/database.js';
import type { LeafKeys } from '../leaf/entry.js';
import { project, type Json } from '../leaf/project.js';
import { outboundRules } from '../leaf/rules.js';
import { envelopeOf } from './entries.js';

/** A member that a rule gets later is in no older leaf, so what is compared is named. */
const COMPARED = [
  ...['taskId', 'callId', 'at', 'agent', 'tool', 'dataset', 'action'],
  ...['decision', 'code', 'checks', 'policySet', 'inputs'],
];

export interface KeptDecision {
  /** `ce_id` of its `call.decided`. */
  id: string;
  data: Record<string, unknown>;
}

/** Ids. */
export interface DecisionFindings {
  /** The log has no such decision of the broker. */
  absent: string[];
  /** The log has another under this id. */
  differ: string[];
}

export async function checkDecisions(
  db: Pick<Tx, 'query'>,
  kept: readonly KeptDecision[],
  keys: LeafKeys,
): Promise<DecisionFindings> {
  const logged = await readDecisions(db, kept);
  const inLeaf = { ...keys, seal: () => undefined };
  const findings: DecisionFindings = { absent: [], differ: [] };
  for (const { id, data } of kept) {
    const told = logged.get(id);
    const facts = factsOf(project(outboundRules['call.decided'], data, '', inLeaf));
    if (told === undefined) findings.absent.push(id);
    // A record may have been sent twice: then it is there twice, and the same.
    else if (told.some((each) => each !== facts)) findings.differ.push(id);
  }
  return findings;
}

/** The facts of each, as often as they are in the log. */
async function readDecisions(
  db: Pick<Tx, 'query'>,
  kept: readonly KeptDecision[],
): Promise<Map<string, string[]>> {
  const { rows } = await db.query<{ leaf: Buffer }>(
    `SELECT leaf FROM entry WHERE type = 'call.decided' AND admitted AND event_id = ANY($1::text[])`,
    [kept.map(({ id }) => id)],
  );
  const found = new Map<string, string[]>();
  for (const { leaf } of rows) {
    const { id, type, service, event } = envelopeOf(leaf);
    if (typeof id !== 'string' || type !== 'call.decided' || service !== 'broker') continue;
    found.set(id, [...(found.get(id) ?? []), factsOf(event)]);
  }
  return found;
}

function factsOf(event: Json | undefined): string {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return '';
  return canonical(Object.fromEntries(Object.entries(event).filter(([member]) => COMPARED.includes(member))));
}
