/** B12: the log and a witness, which is `examples/mini-witness` as a process of its own. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseTrust } from '#bundle/trust.js';
import { verifyBundle } from '#bundle/verify-bundle.js';
import { hasher } from '#merkle/node/hasher.js';
import { generateNoteKey, generateWitnessKey, parseSigner, parseTrustPolicy } from '#merkle/node/keys.js';
import { verifyTlogProofUnder } from '#merkle/tlog-proof.js';
import { openCheckpointUnder } from '#merkle/trust-verdict.js';
import { createLog } from '#telemetry/log.js';
import { Metrics } from '#telemetry/metrics.js';
import { WitnessProcess } from '../../../../test/support/witness-process.js';
import { openAuditorHttp, type AuditorHttp } from '../../spec/auditor-http.js';
import { bundleOf } from '../../spec/exported.js';
import { SignedLog } from '../../spec/signed-log.js';
import { OPERATOR, World } from '../../spec/world.js';
import type { Anchor } from './anchor.js';
import { Anchors } from './anchors.js';
import { FileAnchor } from './file-anchor.js';
import { anchorMeasures } from './measures.js';
import { WitnessAnchor } from './witness-anchor.js';

const signer = parseSigner(generateNoteKey('audit.example/log').skey);
const NAME = 'witness.example/north';
const never = new AbortController().signal;

let folder: string;
let log: SignedLog;
let witness: WitnessProcess;
let told: string[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-witness-'));
  told = [];
  [log, witness] = await Promise.all([SignedLog.open(signer), startWitness()]);
});
afterEach(async () => {
  await Promise.all([log.drop(), witness.stop()]);
  rmSync(folder, { recursive: true });
});

const at = (name: string) => join(folder, name);
const startWitness = (more: { logs?: string[]; state?: string; port?: number } = {}) =>
  WitnessProcess.start({ name: NAME, logs: [signer.vkey], state: at('north'), ...more });
const partsOf = ({ database }: SignedLog) => ({
  db: database.runtime,
  warn: (_fields: object, message: string) => void told.push(message),
});
const north = (of = log, { url, vkey } = witness) =>
  new WitnessAnchor(partsOf(of), { name: 'north', url, vkey });
const cosignatures = async (of = log): Promise<bigint[]> => {
  const { rows } = await of.database.runtime.pool.query<{ size: bigint }>(
    'SELECT size FROM cosignature ORDER BY size',
  );
  return rows.map(({ size }) => size);
};
async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (const untilMs = Date.now() + 30_000; Date.now() < untilMs; await sleep(20)) if (await what()) return;
  throw new Error('it does not come');
}
/** Another database with the log's key: what whoever holds both can make. */
async function anotherLog<T>(work: (other: SignedLog) => Promise<T>): Promise<T> {
  const other = await SignedLog.open(signer);
  try {
    return await work(other);
  } finally {
    await other.drop();
  }
}

describe('B12: a witness', () => {
  it('cosigns the head, and each that extends it', async () => {
    for (const count of [1, 254, 1, 1, 43]) {
      const head = await log.grow(count);
      expect(await north().put(head, never)).toBeUndefined();
    }
    expect(await cosignatures()).toEqual([1n, 255n, 256n, 257n, 300n]);
  });

  it('cosigns an unchanged head anew', async () => {
    const head = await log.grow(5);
    expect([await north().put(head, never), await north().put(head, never)]).toEqual([undefined, undefined]);
    expect(new Set(await cosignatures())).toEqual(new Set([5n]));
  });

  it('is killed and started again: it is away meanwhile, and goes on from where it was', async () => {
    const anchor = north();
    await anchor.put(await log.grow(5), never);
    const { port } = witness;
    await witness.stop();
    const head = await log.grow(3);
    expect(await anchor.put(head, never)).toBe('ERR_ANCHOR_AWAY');
    witness = await startWitness({ port });
    expect(await anchor.put(head, never)).toBeUndefined();
    expect([await cosignatures(), told]).toEqual([[5n, 8n], []]);
  });

  it('says where it stands (409) to a log that thinks otherwise, which asks again from there', async () => {
    const pool = log.database.runtime.pool;
    await north().put(await log.grow(5), never);
    await pool.query('UPDATE anchor SET size = 0');
    expect(await north().put(await log.grow(3), never)).toBeUndefined();
    await pool.query('UPDATE anchor SET size = 2');
    expect(await north().put(await log.sign(), never)).toBeUndefined();
    expect(told).toEqual([]);
  });

  it('is taken back where it forgot what it had cosigned, and that is told', async () => {
    await north().put(await log.grow(5), never);
    const { port } = witness;
    await witness.stop();
    mkdirSync(at('south'));
    copyFileSync(at('north/key'), at('south/key'));
    witness = await startWitness({ state: at('south'), port });
    expect(await north().put(await log.grow(3), never)).toBeUndefined();
    expect(told).toEqual(['a witness forgot what it had cosigned']);
  });

  it('refuses a log that was written anew and signed with the real key (422, 409)', async () => {
    await north().put(await log.grow(5), never);
    await anotherLog(async (other) => {
      expect(await north(other).put(await other.grow(5, 'false'), never)).toBe('ERR_ANCHOR_CONTRADICTED');
      expect(await north(other).put(await other.grow(9), never)).toBe('ERR_ANCHOR_CONTRADICTED');
      expect(await cosignatures(other)).toEqual([]);
    });
  });

  it('refuses a log that was rolled back, and readiness and metrics show it', async () => {
    await north().put(await log.grow(8), never);
    await anotherLog(async (restored) => {
      await restored.grow(5);
      const metrics = new Metrics('auditor');
      const anchors = anchorsOf(restored, [north(restored)], metrics);
      anchors.start();
      await until(() => anchors.remarks().length > 0);
      expect(anchors.remarks()).toEqual(['witness north contradicts the log: ERR_ANCHOR_AHEAD']);
      expect(await metrics.text()).toContain(
        'mayfly_audit_anchor_contradicted{anchor="witness north",service="auditor"} 1',
      );
      await anchors.stop();
    });
  });

  it.each([
    ['does not watch the log', () => generateNoteKey('other.example/log').vkey, 'ERR_ANCHOR_LOG_UNKNOWN'],
    ['has another key for the log', () => generateNoteKey(signer.name).vkey, 'ERR_ANCHOR_KEY_UNKNOWN'],
  ] as const)('says so where it %s', async (_what, logKey, code) => {
    await witness.stop();
    witness = await startWitness({ logs: [logKey()] });
    expect(await north().put(await log.grow(2), never)).toBe(code);
  });

  it('is not believed where its key is not the one that was written down', async () => {
    const stranger = { url: witness.url, vkey: generateWitnessKey(NAME).vkey } as WitnessProcess;
    const head = await log.grow(2);
    expect(await north(log, stranger).put(head, never)).toBe('ERR_ANCHOR_COSIGNATURE_INVALID');
    expect(await cosignatures()).toEqual([]);
  });
});

const anchorsOf = (of: SignedLog, anchors: Anchor[], metrics = new Metrics('auditor')) =>
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

describe('anchors', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });
  const badWitness = async (answer: RequestListener): Promise<WitnessAnchor> => {
    server = createServer(answer);
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { vkey } = generateWitnessKey('bad.example');
    return new WitnessAnchor({ ...partsOf(log), withinMs: 60_000 }, { name: 'bad', url, vkey });
  };

  it('are brought each new head, and none waits for another', async () => {
    let asked = 0;
    const silent = await badWitness(() => (asked += 1));
    const anchors = anchorsOf(log, [silent, new FileAnchor(partsOf(log), at('files')), north()]);
    await log.grow(5);
    anchors.start();
    await until(async () => (await cosignatures()).includes(5n));
    await log.grow(3);
    const reached = async () => {
      const query = 'SELECT name, size FROM anchor ORDER BY name';
      return (await log.database.runtime.pool.query<{ name: string; size: bigint }>(query)).rows;
    };
    await until(async () => (await reached()).filter(({ size }) => size === 8n).length === 2);
    expect(await reached()).toEqual([
      { name: 'files', size: 8n },
      { name: expect.stringMatching(/^witness\.example\/north\+[0-9a-f]{8}$/) as string, size: 8n },
    ]);
    expect(asked).toBe(1);
    await anchors.stop();
  });

  it('keep nothing of what a bad witness answers', async () => {
    const head = await log.grow(5);
    const garbage = await badWitness((_request, response) => void response.end('<html>'));
    expect(await garbage.put(head, never)).toBe('ERR_ANCHOR_ANSWER_INVALID');
    expect(await cosignatures()).toEqual([]);
  });

  it('are not led around in circles', async () => {
    let turns = 0;
    const circling = await badWitness((_request, response) => {
      turns += 1;
      response.writeHead(409).end(`${turns % 2}\n`);
    });
    expect(await circling.put(await log.grow(5), never)).toBe('ERR_ANCHOR_ANSWER_INVALID');
    expect(turns).toBe(3);
  });

  it('in files refuse a log that was rolled back or written anew, and one that is another', async () => {
    const files = (of: SignedLog) => new FileAnchor(partsOf(of), at('files'));
    expect(await files(log).put(await log.grow(8))).toBeUndefined();
    expect(await files(log).put(await log.sign())).toBeUndefined();
    await anotherLog(async (other) => {
      expect(await files(other).put(await other.grow(5))).toBe('ERR_ANCHOR_AHEAD');
      expect(await files(other).put(await other.grow(3))).toBeUndefined();
      expect(await files(other).put(await other.grow(1, 'false'))).toBeUndefined();
    });
    expect(await files(log).put(await log.grow(1))).toBe('ERR_ANCHOR_CONTRADICTED');
    expect(await files(log).put(await log.grow(1))).toBe('ERR_ANCHOR_CONTRADICTED');
    const stranger = await SignedLog.open(parseSigner(generateNoteKey('other.example/log').skey));
    expect(await files(stranger).put(await stranger.grow(20))).toBe('ERR_ANCHOR_LOG_UNKNOWN');
    await stranger.drop();
  });

  it('in files are away where nothing can be written', async () => {
    const files = new FileAnchor(partsOf(log), '/dev/null/nowhere');
    expect(await files.put(await log.grow(1))).toBe('ERR_ANCHOR_AWAY');
    expect(told).toEqual(['checkpoints cannot be kept in files']);
  });
});

it.each(['the auditor’s own role', 'the owner'])(
  'a cosignature stays as it is, whatever %s tries',
  async (who) => {
    await north().put(await log.grow(2), never);
    const { runtime, owner } = log.database;
    const { pool } = who === 'the owner' ? owner : runtime;
    for (const statement of [
      "UPDATE cosignature SET line = ''",
      'DELETE FROM cosignature',
      'TRUNCATE cosignature',
    ])
      await expect(pool.query(statement)).rejects.toMatchObject({ code: '42501' });
  },
);

describe('whoever wants witnesses', () => {
  let world: World;
  let http: AuditorHttp;
  beforeEach(async () => {
    world = await World.open();
    http = await openAuditorHttp(log.database.runtime, world);
  });
  afterEach(async () => {
    await http.close();
    await world.close();
  });
  const policy = () => `log ${signer.vkey}\nwitness north ${witness.vkey}\nquorum north\n`;
  async function ask(path: string, body?: object): Promise<{ status: number; bytes: Buffer }> {
    const headers = { authorization: `Bearer ${await world.svid(OPERATOR)}` };
    const request =
      body === undefined ? { headers } : { headers, method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${http.url}${path}`, request);
    return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
  }
  const note = async (query = '') => (await ask(`/log/checkpoint${query}`)).bytes.toString();
  const verified = async (asked: object) =>
    verifyBundle(bundleOf((await ask('/v1/exports', asked)).bytes).files, parseTrust(policy()));

  it('believes no checkpoint and no bundle before a witness has seen the head, and each after it', async () => {
    const head = await log.grow(300);
    const trust = parseTrustPolicy(policy());
    const before = await note();
    expect(before).toBe(head.note);
    expect(() => openCheckpointUnder(trust, before)).toThrow(
      expect.objectContaining({ code: 'ERR_TRUST_QUORUM' }) as Error,
    );
    expect(await verified({})).toMatchObject({
      verdict: 'altered',
      findings: [{ code: 'ERR_TRUST_QUORUM' }],
    });

    await north().put(head, never);
    expect(openCheckpointUnder(trust, await note())).toMatchObject({
      quorum: true,
      checkpoint: { size: 300n },
    });
    expect(await verified({ from: 5, to: 290 })).toMatchObject({
      verdict: 'good',
      included: 285,
      checkpoint: { cosignedBy: ['north'] },
    });
  });

  it('gets the newest head that witnesses have seen, of a log that is further on', async () => {
    await north().put(await log.grow(300), never);
    await log.grow(7);
    const trust = parseTrustPolicy(policy());
    expect((await note()).split('\n')[1]).toBe('307');
    expect(openCheckpointUnder(trust, await note('?cosigned=1')).checkpoint.size).toBe(300n);
    expect(await verified({ cosigned: 1 })).toMatchObject({ verdict: 'good', to: 300 });

    const proof = (await ask('/v1/entries/42/proof?cosigned=1')).bytes.toString();
    const proven = verifyTlogProofUnder(hasher, proof, Buffer.from('{"true":42}'), trust);
    expect(proven).toMatchObject({ index: 42n, cosigned: [{ witness: { name: 'north' } }] });
  });

  it('gets each witness once, with what it said last', async () => {
    const head = await log.grow(3);
    await north().put(head, never);
    await log.database.runtime.pool.query(
      `INSERT INTO cosignature SELECT size, witness, cosigned_at_s - 60, '— older AAAAAAAA' FROM cosignature`,
    );
    expect(await note()).toMatch(
      /^audit\.example\/log\n3\n\S+\n\n— audit\S+ \S+\n— witness\.example\/north \S+\n$/,
    );
  });

  it.each([
    ['/log/checkpoint?cosigned=2', 503, 'ERR_NO_CHECKPOINT'],
    ['/log/checkpoint?cosigned=33', 400, 'ERR_PARAMETER_INVALID'],
    ['/log/checkpoint?cosigned=all', 400, 'ERR_PARAMETER_INVALID'],
    ['/v1/entries/0/proof?cosigned=2', 503, 'ERR_NO_CHECKPOINT'],
  ])('is told where there is none: %s', async (path, status, code) => {
    await north().put(await log.grow(3), never);
    const { status: said, bytes } = await ask(path);
    expect([said, JSON.parse(bytes.toString())]).toEqual([
      status,
      expect.objectContaining({ code }) as object,
    ]);
  });
});
