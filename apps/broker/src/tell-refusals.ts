/** Refused records are told: the first of a while singly, with a copy in the dead letters, the others together. */
import type { BusRecord } from '#bus/bus.js';
import type { Refusal } from '#events/refusal.js';
import { transact, type Tx } from '#store/database.js';
import { sha256Hex } from '#store/parking.js';
import type { Write } from '#store/writes.js';
import type { BrokerParts } from './broker-parts.js';
import { deadLetter, rejectionEvent, rejectionsEvent } from './records.js';
import { readWindows, takeOver, windowsWrite } from './refusal-rows.js';
import { hasBeyond, keyOfKind, kindOf, tally, type RefusedRecord } from './refusals.js';
import { UnitOfWork } from './unit-of-work.js';

interface Refused extends RefusedRecord {
  record: BusRecord;
  refusal: Refusal;
}

/** Those of one batch. */
export class Refusals {
  readonly #refused: Refused[] = [];

  /** @param sender only where it was authenticated. */
  note(record: BusRecord, refusal: Refusal, sender?: string): void {
    const { topic, partition, offset, value } = record;
    const { code, reason } = refusal;
    const place = { topic, partition, offset, valueSha256: sha256Hex(value ?? '') };
    this.#refused.push({
      record,
      refusal,
      code,
      reason,
      ...place,
      ...(sender === undefined ? {} : { sender }),
    });
  }

  /** Asks the database only where something was refused. @returns what is to be written with the rest of the batch. */
  async tell(tx: Tx, work: UnitOfWork): Promise<Write | null> {
    if (this.#refused.length === 0) return null;
    const kinds = new Map(this.#refused.map((each) => [keyOfKind(kindOf(each)), kindOf(each)]));
    const open = await readWindows(tx, [...kinds.values()]);
    const { singly, closed, windows } = tally(open, this.#refused, work.nowMs);
    for (const window of closed) work.publish(rejectionsEvent(window, work.nowMs));
    for (const { record, refusal, sender } of singly) {
      work.publish(rejectionEvent(record, refusal, sender, work.nowMs));
      work.queue(deadLetter(record, refusal, work.nowMs));
    }
    return windowsWrite(windows);
  }
}

/** Tells what was counted once its while is over, where no further refusal does it. */
export async function closeRefusals(parts: BrokerParts): Promise<void> {
  const { told, queued } = await transact(parts.db, async (tx) => {
    const work = await UnitOfWork.begin(tx, { taskIds: [] });
    for (const window of await takeOver(tx, work.nowMs))
      if (hasBeyond(window)) work.publish(rejectionsEvent(window, work.nowMs));
    return { queued: await work.flush(parts.instanceId), told: work.told };
  });
  parts.measures.count(told);
  // Not awaited: a bus that is away must not keep the next from being counted.
  void parts.relay.send(queued);
}
