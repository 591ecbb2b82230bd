/**
 * One record of the bus as an entry of the log. The leaf is the exact bytes that are hashed: the JCS (RFC 8785) of an
 * envelope that holds no personal value, only identifiers, pseudonyms and commitments. Everything the log ever shows of a
 * record is in its leaf, or is opened from its payload and checked against the leaf's commitment.
 */
import type { BusRecord } from '#bus/bus.js';
import { HEADERS, type RawHeaders } from '#events/envelope.js';
import { isInboundType, shortType, uuidV7 } from '#events/inbound.js';
import { canonical } from '#events/jcs.js';
import { CREDENTIAL_DELIVERED, isOutboundType } from '#events/outbound.js';
import { CREDENTIAL_EVENTS, DELIVERY, REVOCATIONS, TASK_EVENTS } from '#events/topics.js';
import { hasher } from '#merkle/node/hasher.js';
import type { Judgement } from './judge.js';
import { commitment, newEntryKey, type Pseudonyms } from './keys.js';
import { payloadOf, redactHeaders, sha256Hex, type Payload } from './payload.js';
import { project, projectId, type Json, type Rule } from './project.js';
import { deliveryRules, envelopeRule, revocationRule } from './delivery-rules.js';
import { inboundRules } from './inbound-rules.js';
import { outboundRules } from './rules.js';

/** The largest entry that C2SP tlog-tiles can bundle. */
export const MAX_LEAF_BYTES = 65_535;

export interface Entry {
  leaf: Buffer;
  leafHash: Uint8Array;
  /** Derived from the leaf, for queries. `taskId`, `type` and `eventId` only of admitted records. */
  admitted: boolean;
  type: string | null;
  taskId: string | null;
  eventId: string | null;
  payload: Payload;
  /** Opens the leaf's commitments; erased with the payload. */
  entryKey: Buffer;
}

export interface LeafKeys {
  pseudonyms: Pseudonyms;
  isPerson: (spiffeId: string) => boolean;
}

/** What is undefined is not there. */
type Leaf = { [member: string]: Json | undefined };

export function makeEntry(record: BusRecord, judged: Judgement, keys: LeafKeys): Entry {
  const entryKey = newEntryKey();
  const commitments: { [place: string]: string } = {};
  const commit = (place: string, bytes: Uint8Array | string) => {
    commitments[place] = commitment(entryKey, place, bytes);
  };
  const to = { ...keys, seal: commit };

  const isCredential = record.topic === DELIVERY && judged.admitted && judged.type === CREDENTIAL_DELIVERED;
  const found = judged.admitted ? eventOf(record, judged) : undefined;
  const event = found === undefined ? undefined : project(found.rule, found.data, '', to);
  const headers = redactHeaders(record.headers);
  commit('headers', headers);
  if (record.value !== null && !isCredential) commit('value', record.value);

  const taskId = judged.admitted ? taskOf(event, judged) : undefined;
  const type = judged.admitted && judged.type !== undefined && isName(judged.type) ? judged.type : undefined;
  const writer = writerOf(judged, keys);
  // In the order of JCS, which then has nothing to sort.
  const whole: Leaf = {
    appendedAt: timeText(record.appendedAtMs),
    authenticated: judged.admitted || judged.sender !== undefined,
    claimed: judged.admitted ? undefined : present(claimsOf(record, keys)),
    code: judged.admitted ? undefined : judged.code,
    commitments,
    event,
    id: judged.admitted ? judged.eventId : undefined,
    key: writer.key,
    offset: String(record.offset),
    oversize: undefined,
    partition: record.partition,
    sender: writer.sender,
    service: writer.service,
    store: writer.store,
    svidExpired: writer.svidExpired,
    svidSha256: writer.svidSha256,
    task: taskId,
    topic: record.topic,
    type,
    v: 1,
    valueBytes: record.value?.length ?? 0,
    // A ciphertext of random key cannot be guessed from its hash.
    valueSha256: isCredential && record.value !== null ? sha256Hex(record.value) : undefined,
  };
  const leaf = encode(whole, commitments);
  return {
    leaf,
    leafHash: hasher.leaf(leaf),
    admitted: judged.admitted,
    type: type ?? null,
    taskId: taskId ?? null,
    eventId: judged.admitted ? judged.eventId : null,
    // What else may lie on the delivery topic could be a credential too.
    payload: payloadOf(record, headers, judged.admitted, record.topic !== DELIVERY || isNotice(judged)),
    entryKey,
  };
}

/** An event too large for a leaf is left to the commitment over the whole value. */
function encode(leaf: Leaf, { value, headers }: { [place: string]: string }): Buffer {
  const whole = Buffer.from(canonical(leaf));
  if (whole.length <= MAX_LEAF_BYTES) return whole;
  const kept = present({ headers, value });
  return Buffer.from(canonical({ ...leaf, event: undefined, oversize: true, commitments: kept }));
}

const isNotice = (judged: Judgement): boolean =>
  judged.admitted && judged.type !== undefined && Object.hasOwn(deliveryRules, judged.type);

/** The event's data with the rule for its type. Undefined for a type we know nothing of: then only the commitment speaks. */
function eventOf(
  record: BusRecord,
  judged: Judgement & { admitted: true },
): { rule: Rule; data: unknown } | undefined {
  const { topic, value } = record;
  if (value === null) return undefined;
  if (topic === DELIVERY && judged.type === CREDENTIAL_DELIVERED)
    return { rule: envelopeRule, data: parse(Buffer.from(firstPart(value), 'base64url')) };
  const rule = ruleOf(topic, judged.type);
  return rule === undefined ? undefined : { rule, data: parse(value) };
}

function ruleOf(topic: string, type: string | undefined): Rule | undefined {
  if (topic === TASK_EVENTS) return isInboundType(type) ? inboundRules[type] : undefined;
  if (topic === REVOCATIONS) return revocationRule;
  if (topic === CREDENTIAL_EVENTS && isOutboundType(type)) return outboundRules[type];
  if (topic === DELIVERY && type !== undefined && Object.hasOwn(deliveryRules, type))
    return deliveryRules[type as keyof typeof deliveryRules];
  return undefined;
}

/** The protected header of a compact JWE; of anything else, at most 8 KiB that will not parse. */
const firstPart = (value: Buffer): string =>
  value.subarray(0, 8_192).toString('latin1').split('.', 1)[0] ?? '';

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function writerOf(judged: Judgement, keys: LeafKeys): Leaf {
  if (!judged.admitted)
    return { sender: judged.sender === undefined ? undefined : projectId(judged.sender, keys) };
  if (judged.by === 'service') return { service: judged.service, store: judged.store };
  const { sender, keyThumbprint, svidSha256, svidExpired } = judged;
  return {
    sender: projectId(sender, keys),
    key: keyThumbprint,
    svidSha256,
    svidExpired: svidExpired ? true : undefined,
  };
}

function taskOf(event: Json | undefined, judged: Judgement & { admitted: true }): string | undefined {
  if (typeof event === 'object' && event !== null && !Array.isArray(event)) {
    const taskId = event.what === 'task' ? event.id : event.taskId;
    if (typeof taskId === 'string' && isUuid(taskId)) return taskId;
  }
  return judged.by === 'service' && isUuid(judged.subject) ? judged.subject : undefined;
}

/** What a record that was not admitted says of itself, as far as it can hold nothing personal. */
function claimsOf(record: BusRecord, keys: LeafKeys): Leaf {
  const read = (name: string): string | undefined => {
    const headers: RawHeaders = record.headers;
    const value = headers[name];
    return value === undefined || value === null || Array.isArray(value) || value.length > 2_048
      ? undefined
      : Buffer.from(value).toString('utf8');
  };
  const [id, type, source] = [read(HEADERS.id), shortType(read(HEADERS.type) ?? ''), read(HEADERS.source)];
  const known = isInboundType(type) || isOutboundType(type) || type === CREDENTIAL_DELIVERED;
  const task = record.key?.length === 36 ? record.key.toString('latin1') : '';
  return {
    id: id !== undefined && isUuid(id) ? id : undefined,
    type: known ? type : undefined,
    source: source === undefined ? undefined : keys.pseudonyms.person(source),
    task: isUuid(task) ? task : undefined,
  };
}

const isUuid = (text: string): boolean => uuidV7.safeParse(text).success;
const isName = (text: string): boolean => /^[a-z][a-z0-9_.]{0,63}$/.test(text);
const present = (members: Leaf): { [member: string]: Json } =>
  Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

/** RFC 3339 in UTC. A producer may claim a time that no calendar has. */
const timeText = (ms: number): string =>
  Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : '0000-01-01T00:00:00.000Z';

/** Topics whose records become entries. */
export const LOGGED_TOPICS = [TASK_EVENTS, CREDENTIAL_EVENTS, DELIVERY, REVOCATIONS] as const;
