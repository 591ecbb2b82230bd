/** A log and a witness beside it, which is `examples/mini-witness` as a process of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateNoteKey, parseSigner } from '#merkle/node/keys.js';
import { createLog } from '#telemetry/log.js';
import { Metrics } from '#telemetry/metrics.js';
import { WitnessProcess } from '../../../test/support/witness-process.js';
import type { Anchor } from '../src/anchor/anchor.js';
import { Anchors } from '../src/anchor/anchors.js';
import { anchorMeasures } from '../src/anchor/measures.js';
import { WitnessAnchor } from '../src/anchor/witness-anchor.js';
import { SignedLog } from './signed-log.js';

export const signer = parseSigner(generateNoteKey('audit.example/log').skey);
export const NAME = 'witness.example/north';
export const never = new AbortController().signal;

export class WitnessedLog {
  /** What its anchors warned of. */
  readonly told: string[] = [];

  private constructor(
    readonly folder: string,
    readonly log: SignedLog,
    /** The one that was started last. */
    public witness: WitnessProcess,
  ) {}

  static async open(): Promise<WitnessedLog> {
    const folder = mkdtempSync(join(tmpdir(), 'mayfly-witness-'));
    return new WitnessedLog(folder, ...(await Promise.all([SignedLog.open(signer), witnessIn(folder)])));
  }

  async close(): Promise<void> {
    await Promise.all([this.log.drop(), this.witness.stop()]);
    rmSync(this.folder, { recursive: true });
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  async startWitness(more?: Starting): Promise<WitnessProcess> {
    this.witness = await witnessIn(this.folder, more);
    return this.witness;
  }

  partsOf({ database }: SignedLog) {
    return {
      db: database.runtime,
      warn: (_fields: object, message: string) => void this.told.push(message),
    };
  }

  north(of = this.log, { url, vkey } = this.witness): WitnessAnchor {
    return new WitnessAnchor(this.partsOf(of), { name: 'north', url, vkey });
  }

  async cosignatures(of = this.log): Promise<bigint[]> {
    const { rows } = await of.database.runtime.pool.query<{ size: bigint }>(
      'SELECT size FROM cosignature ORDER BY size',
    );
    return rows.map(({ size }) => size);
  }
}

type Starting = { logs?: string[]; state?: string; port?: number };
const witnessIn = (folder: string, more: Starting = {}) =>
  WitnessProcess.start({ name: NAME, logs: [signer.vkey], state: join(folder, 'north'), ...more });

export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (const untilMs = Date.now() + 30_000; Date.now() < untilMs; await sleep(20)) if (await what()) return;
  throw new Error('it does not come');
}

/** Another database with the log's key: what whoever holds both can make. */
export async function anotherLog<T>(work: (other: SignedLog) => Promise<T>): Promise<T> {
  const other = await SignedLog.open(signer);
  try {
    return await work(other);
  } finally {
    await other.drop();
  }
}

export const anchorsOf = (of: SignedLog, anchors: Anchor[], metrics = new Metrics('auditor')) =>
  new Anchors({
    ...{
      db: of.database.runtime,
      anchors,
      measures: anchorMeasures(metrics),
      everyMs: 1_000,
      lookEveryMs: 20,
    },
    log: createLog('auditor', { level: 'silent' }),
  });
