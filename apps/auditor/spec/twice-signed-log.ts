/** A log of entries that a service wrote, signed twice: once when it had `earlier` of them, and at its end. */
import { verifyBundle, type BundleReport } from '#bundle/verify-bundle.js';
import { parseTrust } from '#bundle/trust.js';
import { openCheckpoint, type Checkpoint } from '#merkle/checkpoint.js';
import { generateNoteKey, parseSigner, parseVerifier } from '#merkle/node/keys.js';
import { transact } from '#store/database.js';
import { appendEntries } from '../src/log/append.js';
import { signHead } from '../src/signer/sign-head.js';
import { openAuditorHttp, type AuditorHttp } from './auditor-http.js';
import { bundleOf, type Exported } from './exported.js';
import { freshLogDatabase, type LogDatabase } from './log-database.js';
import { common, OPERATOR, type World } from './world.js';

export const ORIGIN = 'audit.example/log';
const signer = parseSigner(generateNoteKey(ORIGIN).skey);
export const trust = parseTrust(`log ${signer.vkey}\nquorum none\n`);
export const verifiers = [parseVerifier(signer.vkey)];

export class TwiceSignedLog {
  #noteThen = '';

  private constructor(
    readonly world: World,
    readonly db: LogDatabase,
    readonly http: AuditorHttp,
  ) {}

  static async open(world: World, earlier: number, entries: number): Promise<TwiceSignedLog> {
    const db = await freshLogDatabase();
    const log = new TwiceSignedLog(world, db, await openAuditorHttp(db.runtime, world));
    await log.append(earlier);
    log.#noteThen = await log.sign();
    await log.append(entries - earlier);
    await log.sign();
    return log;
  }

  async append(count: number): Promise<void> {
    const { world, db } = this;
    const records = Array.from({ length: count }, () => world.wrote('broker', 'task.accepted', common));
    const fresh = await Promise.all(
      records.map(async (record) => ({ record, entry: await world.entryOf(record) })),
    );
    await transact(db.runtime, (tx) => appendEntries(tx, fresh));
  }

  sign = async (): Promise<string> => (await signHead(this.db.signer, [signer], 0))!.note;

  /** The head that somebody kept. */
  get headThen(): Checkpoint {
    return openCheckpoint(this.#noteThen, ORIGIN, verifiers);
  }

  async ask(body: string, id: string | null = OPERATOR): Promise<Response> {
    const headers: Record<string, string> =
      id === null ? {} : { authorization: `Bearer ${await this.world.svid(id)}` };
    return await fetch(`${this.http.url}/v1/exports`, { method: 'POST', headers, body });
  }

  async exported(asked: object = {}): Promise<Exported> {
    const response = await this.ask(JSON.stringify(asked));
    if (response.status !== 200) throw new Error(await response.text());
    return bundleOf(Buffer.from(await response.arrayBuffer()));
  }

  async verify(asked: object = {}, since?: Checkpoint): Promise<BundleReport> {
    return verifyBundle((await this.exported(asked)).files, trust, since);
  }

  async close(): Promise<void> {
    await this.http.close();
    await this.db.drop();
  }
}
