/** The data of an authenticated event: its schema, and what no schema says. */
import { inboundSchemas, type InboundEvent, type InboundType } from '#events/inbound.js';
import { refuse, type Checked } from './refuse.js';

/** Members in which a sender of this type may repeat who it is. It must then be the authenticated one. */
const SENDER_MEMBERS: Record<InboundType, readonly string[]> = {
  'task.started': ['sender', 'orchestrator'],
  'task.amended': ['sender'],
  'task.ended': ['sender'],
  'tool.called': ['sender', 'agent'],
  'tool.completed': ['sender'],
  'lease.renewal_requested': ['sender', 'agent'],
};

/** @returns the event with the members that the schema knows, and no others. */
export function readInboundData(
  type: InboundType,
  data: Record<string, unknown>,
  sender: string,
): Checked<{ event: InboundEvent }> {
  for (const member of SENDER_MEMBERS[type]) {
    if (data[member] !== undefined && data[member] !== sender)
      return refuse('ERR_SOURCE_MISMATCH', 'the data names another sender', { member });
  }
  const parsed = inboundSchemas[type].safeParse(data);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuse('ERR_DATA_INVALID', 'the data is not as its schema says', {
      path: printable(issue?.path.join('.') ?? ''),
      issue: printable(issue?.message ?? ''),
    });
  }
  if (holdsUnstorableText(parsed.data))
    return refuse('ERR_DATA_INVALID', 'the data holds a lone surrogate or U+0000');
  return { ok: true, event: { type, data: parsed.data } as InboundEvent };
}

/** A path may go through names the sender chose. */
const printable = (text: string) => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 128);

/**
 * JSON can write what its canonical form (RFC 8785) and PostgreSQL's text cannot hold. Found later, it would stop the consumer at
 * this record for ever. The depth is the schema's, so recursion is bounded.
 */
function holdsUnstorableText(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed();
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([name, member]) => holdsUnstorableText(name) || holdsUnstorableText(member),
  );
}
