/**
 * The table of a bundle, for people with a spreadsheet: one line for each entry, made of its leaf and nothing else, so that a
 * verifier makes it again and compares. RFC 4180 with LF. What a spreadsheet would take for a formula gets an apostrophe.
 */
type Members = Record<string, unknown>;

/** Members of the envelope, and behind `event.` those of the event. */
export const COLUMNS = [
  'seq',
  'appendedAt',
  'topic',
  'partition',
  'offset',
  'authenticated',
  'type',
  'id',
  'task',
  'sender',
  'service',
  'code',
  'event.actor',
  'event.agent',
  'event.tool',
  'event.dataset',
  'event.action',
  'event.decision',
  'event.leaseId',
  'event.cause',
] as const;

export const CSV_HEADER = COLUMNS.join(',');

const PATHS = COLUMNS.slice(1).map((column) => column.split('.'));

/** Without the line's end. A leaf that no table can show, because it is no JSON or is nested too deep, is its number and empty cells. */
export function csvRow(seq: number, leaf: Buffer): string {
  try {
    return rowOf(seq, JSON.parse(leaf.toString('utf8')));
  } catch {
    return rowOf(seq, undefined);
  }
}

function rowOf(seq: number, envelope: unknown): string {
  let row = String(seq);
  for (const [member = '', inner] of PATHS) {
    const value = own(envelope, member);
    row += `,${cell(inner === undefined ? value : own(value, inner))}`;
  }
  return row;
}

/** No column is named after what every object has, so none is read that is only inherited. */
const own = (value: unknown, member: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Members)[member] : undefined;

// eslint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;
const FORMULA = /^[=+\-@]/;
const TO_QUOTE = /[",]/;
/** Most texts are, and need no second look. */
const IDENTIFIER = /^[A-Za-z0-9_][A-Za-z0-9_.:/+-]*$/;

/** Text as it is; anything else, and text with control characters, as JSON. Nothing for null and for what is not there. */
function cell(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string' && IDENTIFIER.test(value)) return value;
  const text = typeof value === 'string' && !CONTROL.test(value) ? value : JSON.stringify(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return TO_QUOTE.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
