/**
 * A request as the record that it would be on the bus: CloudEvents HTTP binary mode (cloudevents/spec, bindings/http-protocol-binding.md
 * §3.1) has the attributes in `ce-*` headers, Kafka's has them in `ce_*`. Pure. Nothing is verified here.
 */
import type { BusRecord } from '#bus/bus.js';
import { HEADERS } from '#events/envelope.js';
import { TASK_EVENTS } from '#events/topics.js';

/** Of no partition: what came over HTTP was never on the topic. */
export const OVER_HTTP = { partition: -1, offset: 0n } as const;

const ATTRIBUTE = /^ce-([a-z0-9]{1,20})$/;
const TAKEN: readonly string[] = [
  HEADERS.contentType,
  HEADERS.svid,
  HEADERS.proof,
  HEADERS.principal,
  HEADERS.traceparent,
  HEADERS.tracestate,
];

/**
 * @param rawHeaders as Node has them: names and values in turn, each of them once for each time that it was sent.
 * @param arrivedAtMs stands for the time of the append.
 */
export function eventRecord(rawHeaders: readonly string[], value: Buffer, arrivedAtMs: number): BusRecord {
  const headers: BusRecord['headers'] = {};
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = recordName(rawHeaders[i] ?? '');
    if (name === undefined) continue;
    // Node reads each byte as one character.
    const bytes = Buffer.from(rawHeaders[i + 1] ?? '', 'latin1');
    const before = headers[name];
    headers[name] = before === undefined ? bytes : [...[before].flat(), bytes];
  }
  const subject = headers[HEADERS.subject];
  const key = Buffer.isBuffer(subject) ? subject : null;
  return { topic: TASK_EVENTS, ...OVER_HTTP, appendedAtMs: arrivedAtMs, key, value, headers };
}

/** Other headers are the transport's, and no part of the event. */
function recordName(name: string): string | undefined {
  const lower = name.toLowerCase();
  const attribute = ATTRIBUTE.exec(lower)?.[1];
  if (attribute !== undefined) return `ce_${attribute}`;
  return TAKEN.includes(lower) ? lower : undefined;
}
