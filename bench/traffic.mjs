/**
 * What stands on the topics of some real calls, again under other ids and signed anew: as much as is asked for of what an auditor reads, with
 * nobody beside it who makes it.
 */
import { v7 as uuidv7 } from 'uuid';
import { signEvent } from '../dist/libs/agent/src/signed-event.js';
import { CREDENTIAL_EVENTS, DELIVERY, REVOCATIONS, TASK_EVENTS } from '../dist/libs/events/src/topics.js';
import { ensureServiceKeys } from '../dist/libs/identity/src/development/service-keys.js';
import { RecordSigner } from '../dist/libs/identity/src/records.js';
import { ON_A_DATABASE, typeOf, WITH_A_TOKEN } from './sample-world.mjs';

const TOPICS = [TASK_EVENTS, CREDENTIAL_EVENTS, DELIVERY, REVOCATIONS];
const SERVICE = /^\/\/mayfly\/([a-z]+)$/;
const ID = /([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})/;
const RECORDED = { tasks: 2, callsATask: 10 };

export class Traffic {
  #templates;
  #signers;
  #senders;
  #count = 0;

  /** Lets the services work off some tasks, half of the calls with a database user and half with a token, and keeps what they said. */
  static async record(world) {
    const heard = [];
    const ears = await Promise.all(
      TOPICS.map((topic) => world.follow(topic, (record) => heard.push(record))),
    );
    const tasks = await world.hearing(async () => {
      const started = await world.startTasks(RECORDED.tasks);
      const acts = Array.from({ length: RECORDED.callsATask }, (_, n) =>
        n % 2 === 0 ? ON_A_DATABASE : WITH_A_TOKEN,
      );
      await Promise.all(started.flatMap((taskId) => acts.map((act) => world.call(taskId, act))));
      await world.endTasks(started);
      return started;
    });
    await allCut(heard, tasks.length * RECORDED.callsATask);
    await Promise.all(ears.map((ear) => ear.stop()));
    return await Traffic.#of(
      world,
      heard.filter((record) => isOf(tasks, record)),
    );
  }

  static async #of(world, records) {
    const traffic = new Traffic();
    const files = await ensureServiceKeys(world.stateDir);
    traffic.#senders = new Map([world.orchestrator, world.analyst].map((sender) => [sender.id, sender]));
    traffic.#signers = new Map(
      await Promise.all(
        Object.entries(files).map(async ([service, { signingKey }]) => [
          service,
          await RecordSigner.fromFile(signingKey, service),
        ]),
      ),
    );
    traffic.#templates = templatesOf(records);
    return traffic;
  }

  /** How many records of each type one copy of what was recorded has. */
  get mix() {
    const types = this.#templates.records.map(({ head }) => head.type);
    return Object.fromEntries(
      [...new Set(types)].map((type) => [type, types.filter((each) => each === type).length]),
    );
  }

  /** So many more records. What tasks and agents said must be sent within a minute. */
  next(count) {
    const records = [];
    while (records.length < count) records.push(...this.#copy());
    return records.slice(0, count);
  }

  #copy() {
    const { ids, records } = this.#templates;
    const fresh = ids.map(() => uuidv7());
    return records.map((template) => {
      const key = filled(template.key, fresh);
      const value = template.value === null ? null : Buffer.from(template.value(fresh));
      return template.service === undefined
        ? this.#said(template, value)
        : this.#wrote(template, key, value, fresh);
    });
  }

  #said({ sender, head }, value) {
    const { svid, key } = this.#senders.get(sender);
    return signEvent({ type: head.type, data: JSON.parse(value), svid, key });
  }

  #wrote({ service, topic, head, subject }, key, value, fresh) {
    this.#count += 1;
    const full = {
      ...head.written,
      id: uuidv7(),
      subject: filled(subject, fresh),
      time: new Date().toISOString(),
    };
    const headers = this.#signers
      .get(service)
      .sign({ topic, key, head: full, value }, `bench.${this.#count}`);
    return { topic, key, value, headers };
  }
}

const isOf = (tasks, { key, value }) =>
  tasks.some((taskId) => String(key).includes(taskId) || String(value).includes(taskId));

/** Until the last lease is gone from its target and its agent was told. */
async function allCut(heard, leases) {
  const untilMs = Date.now() + 60_000;
  const count = (type) => heard.filter((record) => typeOf(record) === type).length;
  while (count('lease.removed') < leases || count('lease.ended') < leases) {
    if (Date.now() > untilMs) throw new Error('the leases that were to be recorded did not end');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Texts cut at each id, so that a copy is one pass over them. */
function templatesOf(records) {
  const known = new Map();
  const cut = (text) =>
    text.split(ID).map((part, n) => {
      if (n % 2 === 0) return part;
      if (!known.has(part)) known.set(part, known.size);
      return known.get(part);
    });
  const templates = records.map((record) => {
    const text = (name) => String(record.headers[name] ?? '');
    const [, service] = SERVICE.exec(text('ce_source')) ?? [];
    return {
      service,
      topic: record.topic,
      key: cut(String(record.key)),
      value: record.value === null ? null : writerOf(String(record.value), cut),
      sender: text('ce_source'),
      subject: cut(text('ce_subject')),
      head: {
        type: typeOf(record),
        written: { source: text('ce_source'), type: text('ce_type'), contentType: text('content-type') },
      },
    };
  });
  return { ids: [...known.keys()], records: templates };
}

const filled = (parts, ids) => parts.map((part) => (typeof part === 'number' ? ids[part] : part)).join('');

/** A sealed credential names its lease in its first part, in base64url. Nobody opens a copy. */
function writerOf(text, cut) {
  if (text.startsWith('{')) {
    const parts = cut(text);
    return (ids) => filled(parts, ids);
  }
  const [first, ...rest] = text.split('.');
  const parts = cut(Buffer.from(first, 'base64url').toString());
  const sealed = rest.join('.');
  return (ids) => `${Buffer.from(filled(parts, ids)).toString('base64url')}.${sealed}`;
}
