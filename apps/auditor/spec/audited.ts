/** A log with its API and no bus: what is appended is signed at once, and asked for over HTTP. */
import type { BusRecord } from '#bus/bus.js';
import type { Catalogue } from '#events/catalogue.js';
import { generateNoteKey, parseSigner } from '#merkle/node/keys.js';
import type { EntryPage } from '../src/http/api-schemas.js';
import { catchUp } from '../src/projection/projector.js';
import { signHead } from '../src/signer/sign-head.js';
import { openAuditorHttp, type AuditorHttp } from './auditor-http.js';
import { ingesting } from './ingesting.js';
import { freshLogDatabase, type LogDatabase } from './log-database.js';
import { ANALYST, CALL, common, LEASE, OPERATOR, World } from './world.js';

export const ORIGIN = 'audit.example/log';

/** Where what a page shows stands in the log. */
export const seqs = ({ entries }: EntryPage) => entries.map(({ seq }) => seq);

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

export class Audited {
  readonly signer = parseSigner(generateNoteKey(ORIGIN).skey);

  private constructor(
    readonly world: World,
    readonly log: LogDatabase,
    readonly http: AuditorHttp,
  ) {}

  static async open(operators?: Catalogue['operators']): Promise<Audited> {
    const [world, log] = await Promise.all([World.open(), freshLogDatabase()]);
    return new Audited(world, log, await openAuditorHttp(log.runtime, world, operators));
  }

  /** One lease, said so many times. */
  issued(n: number): BusRecord[] {
    const lease = { ...common, leaseId: LEASE, callId: CALL, agent: ANALYST };
    return Array.from({ length: n }, () => this.world.wrote('broker', 'lease.issued', lease));
  }

  /** A call of the analyst. */
  decided(more: object): BusRecord {
    const call = { ...common, callId: CALL, agent: ANALYST, tool: 'sql.query' };
    return this.world.wrote('broker', 'call.decided', { ...call, ...more });
  }

  /** Appends, signs the new head, and projects what it covers. */
  async append(...records: BusRecord[]): Promise<void> {
    await ingesting(this.log.runtime, this.world).onBatch(records);
    await this.sign();
  }

  async sign(): Promise<void> {
    await signHead(this.log.signer, [this.signer], 3_600_000);
    await catchUp(this.log.runtime);
  }

  /** What lies in the outbox for the bus. */
  async queued(): Promise<{ type: string; data: Record<string, unknown> }[]> {
    const { rows } = await this.log.runtime.pool.query<{ head: { type: string }; value: Buffer }>(
      'SELECT head, value FROM outbox ORDER BY id',
    );
    return rows
      .filter(({ head }) => head.type.includes('access.read'))
      .map(({ head, value }) => ({
        type: head.type,
        data: JSON.parse(value.toString()) as Record<string, unknown>,
      }));
  }

  token(id: string): Promise<string> {
    return id.startsWith('user:') ? this.world.login(id) : this.world.svid(id);
  }

  async fetch(path: string, id = OPERATOR, headers: Record<string, string> = {}): Promise<Response> {
    const authorization = `Bearer ${await this.token(id)}`;
    return fetch(`${this.http.url}${path}`, { headers: { authorization, ...headers } });
  }

  async get(path: string, id = OPERATOR): Promise<Answer> {
    const response = await this.fetch(path, id);
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /** @throws Error for anything but 200 */
  async json<T>(path: string, id = OPERATOR): Promise<T> {
    const { status, text } = await this.get(path, id);
    if (status !== 200) throw new Error(text);
    return JSON.parse(text) as T;
  }

  page(query: string, id = OPERATOR): Promise<EntryPage> {
    return this.json<EntryPage>(`/v1/entries?${query}`, id);
  }

  async close(): Promise<void> {
    await this.http.close();
    await Promise.all([this.log.drop(), this.world.close()]);
  }
}
