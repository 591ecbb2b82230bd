/** Parked records in words. They are hostile bytes: nothing that a terminal would obey is printed, and nothing without bounds. */
import type { ServiceName } from '#events/services.js';
import type { BoardLine, LetterOnBoard } from '#store/letter-board.js';

const MINUTE_MS = 60_000;
const VALUE_BYTES = 16_384;
const HEADER_CHARS = 200;
/** Deeper, and its indentation alone would have no bounds. */
const JSON_DEPTH = 32;

/** Without control, format and lone surrogate characters, and cut. */
export function printable(text: string, most: number): string {
  const clean = text.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]/gu, '\uFFFD');
  return clean.length > most ? `${clean.slice(0, most)}…` : clean;
}

export function ageText(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.max(0, Math.floor(ms / 1_000))} s`;
  if (ms < 60 * MINUTE_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  const hours = Math.floor(ms / (60 * MINUTE_MS));
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

const placeOf = ({ topic, partition, offset }: BoardLine): string =>
  `${printable(topic, 100)}/${partition}@${offset}`;

function waitingText({ holds, waiting, passedOver }: BoardLine): string {
  if (!holds) return 'nothing waits for it';
  const beyond = passedOver === 0 ? '' : `, ${passedOver} more on the dead-letter topic only`;
  return `${waiting} ${waiting === 1 ? 'waits' : 'wait'} behind${beyond}`;
}

/** One line of the list. */
export function lineOf(service: ServiceName, line: BoardLine, nowMs: number): string {
  const state = line.state === 'parked' ? '' : `  ordered: ${line.state}`;
  return [
    `${service} ${line.id}`,
    ageText(nowMs - line.parkedAt.getTime()),
    line.key === '' ? 'no key' : printable(line.key, 64),
    printable(line.code, 60),
    placeOf(line),
    line.why === 'behind' ? 'waits' : waitingText(line),
  ]
    .join('  ')
    .concat(state);
}

export const documentOf = (service: ServiceName, line: BoardLine) => ({
  service,
  id: String(line.id),
  topic: line.topic,
  partition: line.partition,
  offset: String(line.offset),
  key: line.key,
  why: line.why,
  code: line.code,
  holds: line.holds,
  state: line.state,
  attempts: line.attempts,
  parkedAt: line.parkedAt.toISOString(),
  waiting: line.waiting,
  passedOver: line.passedOver,
});

/** Everything that may be shown of one: no token. */
export function letterText(service: ServiceName, letter: LetterOnBoard): string {
  const { content } = letter;
  const rows: [string, string][] = [
    ['record', placeOf(letter)],
    ['key', printable(letter.key, 256)],
    ['appended', new Date(Number(letter.appendedAtMs)).toISOString()],
    ['sha256', letter.valueSha256],
    ['state', letter.settledAt === null ? letter.state : `${letter.state} ${letter.settledAt.toISOString()}`],
    ['parked', `${letter.parkedAt.toISOString()}, attempts: ${letter.attempts}`],
    ['why', `${letter.why}: ${printable(letter.code, 100)}, ${printable(letter.detail, 500)}`],
    ['holds', waitingText(letter)],
    ...orderRows(letter),
  ];
  const head = rows.map(([name, value]) => `${name.padEnd(10)} ${value}`);
  if (content === null) return [`${service} ${letter.id}`, ...head, 'its bytes are erased'].join('\n');
  const headers = Object.entries(content.headers).map(
    ([name, value]) => `  ${printable(name, 60)}: ${printable(value, HEADER_CHARS)}`,
  );
  return [`${service} ${letter.id}`, ...head, 'headers', ...headers, 'value', valueText(content.value)].join(
    '\n',
  );
}

function orderRows({ orderedBy, orderedAt, reason }: LetterOnBoard): [string, string][] {
  if (orderedBy === null) return [];
  const why = reason === null ? '' : `: ${printable(reason, 500)}`;
  return [['ordered', `by ${printable(orderedBy, 100)} ${orderedAt?.toISOString() ?? ''}${why}`]];
}

function valueText(value: Buffer | null): string {
  const seen = valueOf(value);
  if (seen === null) return '  none';
  if ('json' in seen) return JSON.stringify(seen.json, null, 2).replaceAll(/[^\n\P{C}]/gu, '\uFFFD');
  return `  ${seen.sizeBytes} bytes, base64${seen.cut ? ', cut' : ''}: ${seen.base64}`;
}

/** JSON where it is some, else its first bytes. */
function valueOf(value: Buffer | null) {
  if (value === null) return null;
  const bytes = value.subarray(0, VALUE_BYTES);
  const cut = bytes.length < value.length;
  if (!cut && depthOf(value.toString()) <= JSON_DEPTH) {
    try {
      return { json: JSON.parse(value.toString()) as unknown };
    } catch {
      // shown as bytes
    }
  }
  return { base64: bytes.toString('base64'), sizeBytes: value.length, cut };
}

function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (const each of json) {
    if (each === '[' || each === '{') deepest = Math.max(deepest, (depth += 1));
    else if (each === ']' || each === '}') depth -= 1;
  }
  return deepest;
}

export const letterDocument = (service: ServiceName, letter: LetterOnBoard) => ({
  ...documentOf(service, letter),
  detail: letter.detail,
  appendedAt: new Date(Number(letter.appendedAtMs)).toISOString(),
  valueSha256: letter.valueSha256,
  orderedBy: letter.orderedBy,
  orderedAt: letter.orderedAt?.toISOString() ?? null,
  reason: letter.reason,
  settledAt: letter.settledAt?.toISOString() ?? null,
  headers: letter.content?.headers ?? null,
  value: letter.content === null ? null : valueOf(letter.content.value),
});
