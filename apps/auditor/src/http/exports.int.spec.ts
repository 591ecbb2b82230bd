/** What the auditor hands out can be verified without it, and what a superuser does to its rows is found by number. */
import { parseTrust } from '#bundle/trust.js';
import { verifyBundle, type BundleReport } from '#bundle/verify-bundle.js';
import { generateNoteKey, parseSigner, parseVerifier } from '#merkle/node/keys.js';
import { openCheckpoint } from '#merkle/checkpoint.js';
import { transact } from '#store/database.js';
import { openAuditorHttp, type AuditorHttp } from '../../spec/auditor-http.js';
import { bundleOf, type Exported } from '../../spec/exported.js';
import { freshLogDatabase, type LogDatabase } from '../../spec/log-database.js';
import { common, OPERATOR, ORCHESTRATOR, World } from '../../spec/world.js';
import { makeEntry } from '../leaf/entry.js';
import { judge } from '../leaf/judge.js';
import { appendEntries } from '../log/append.js';
import { signHead } from '../signer/sign-head.js';

const ORIGIN = 'audit.example/log';
const signer = parseSigner(generateNoteKey(ORIGIN).skey);
const trust = parseTrust(`log ${signer.vkey}\nquorum none\n`);
const ENTRIES = 600;
const EARLIER = 300;

let world: World;
let log: LogDatabase;
let http: AuditorHttp;
let noteThen: string;

beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.close());
beforeEach(async () => {
  log = await freshLogDatabase();
  http = await openAuditorHttp(log.runtime, world);
  await append(EARLIER);
  noteThen = await sign();
  await append(ENTRIES - EARLIER);
  await sign();
});
afterEach(async () => {
  await http.close();
  await log.drop();
});

async function append(count: number): Promise<void> {
  const fresh = Array.from({ length: count }, () => {
    const record = world.wrote('broker', 'task.accepted', common);
    return { record, entry: makeEntry(record, judge(record, world.authorities), world.keys) };
  });
  await transact(log.runtime, (tx) => appendEntries(tx, fresh));
}
const sign = async (): Promise<string> => (await signHead(log.signer, [signer], 0))!.note;

async function ask(body: string, id: string | null = OPERATOR): Promise<Response> {
  const headers: Record<string, string> =
    id === null ? {} : { authorization: `Bearer ${await world.svid(id)}` };
  return await fetch(`${http.url}/v1/exports`, { method: 'POST', headers, body });
}
async function exported(asked: object = {}): Promise<Exported> {
  const response = await ask(JSON.stringify(asked));
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'application/x-ndjson; charset=utf-8',
  ]);
  return bundleOf(Buffer.from(await response.arrayBuffer()));
}
const headThen = () => openCheckpoint(noteThen, ORIGIN, [parseVerifier(signer.vkey)]);
const verify = async (asked: object = {}): Promise<BundleReport> =>
  verifyBundle((await exported(asked)).files, trust);
const bad = ({ findings }: BundleReport) => findings.map(({ code, place }) => `${place} ${code}`);

it('hands out the whole log, or any range of it, and each verifies', async () => {
  for (const asked of [
    {},
    { from: 0, to: 1 },
    { from: 255, to: 513 },
    { from: 299 },
    { from: 599, to: 600 },
  ]) {
    const { verdict, included, from, to } = await verify(asked);
    expect([asked, verdict, included]).toEqual([asked, 'good', to - from]);
  }
});

it('proves that the log extends an earlier head, where it is asked to', async () => {
  const { files } = await exported({ from: 400, to: 500, since: EARLIER });
  expect(verifyBundle(files, trust, headThen())).toMatchObject({
    verdict: 'good',
    extendsSize: BigInt(EARLIER),
  });
});

it.each([
  ['no JSON', '{', 400, 'ERR_BODY_INVALID'],
  ['another member', '{"filter":"x"}', 400, 'ERR_BODY_INVALID'],
  ['a text', '{"from":"1"}', 400, 'ERR_BODY_INVALID'],
  ['a number below all', '{"from":-1}', 400, 'ERR_BODY_INVALID'],
  ['too much', ' '.repeat(5_000), 413, 'ERR_BODY_TOO_LARGE'],
  ['an empty range', '{"from":5,"to":5}', 400, 'ERR_PARAMETER_INVALID'],
  ['a range backwards', '{"from":6,"to":5}', 400, 'ERR_PARAMETER_INVALID'],
  ['more than was signed', '{"to":601}', 503, 'ERR_ENTRY_NOT_COVERED'],
  ['an earlier head that is later', '{"since":601}', 503, 'ERR_ENTRY_NOT_COVERED'],
])('refuses %s', async (_what, body, status, code) => {
  const response = await ask(body);
  expect([response.status, await response.json()]).toEqual([
    status,
    expect.objectContaining({ code }) as object,
  ]);
});

it('hands out nothing to whoever is no auditor', async () => {
  expect((await ask('{}', null)).status).toBe(401);
  expect((await ask('{}', ORCHESTRATOR)).status).toBe(403);
});

describe('a superuser', () => {
  /** Whoever disables the triggers can do anything to rows. */
  const asSuperuser = async (...statements: string[]) => {
    for (const table of ['entry', 'tile', 'checkpoint', 'tree_head', 'payload'])
      await log.admin.query(`ALTER TABLE audit.${table} DISABLE TRIGGER ALL`);
    for (const statement of statements) await log.admin.query(statement);
  };
  const forge = (seq: number) =>
    `UPDATE entry SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'), 'broker', 'brokes'), 'UTF8') WHERE seq = ${seq}`;
  const rehash = (seq: number) =>
    `UPDATE entry SET leaf_hash = sha256('\\x00'::bytea || leaf) WHERE seq = ${seq}`;
  const swap = (a: number, b: number) =>
    [
      [a, -1],
      [b, a],
      [-1, b],
    ].map(([from, to]) => `UPDATE entry SET seq = ${to} WHERE seq = ${from}`);
  const noConstraints = [
    'ALTER TABLE payload DROP CONSTRAINT payload_seq_fkey',
    'ALTER TABLE entry DROP CONSTRAINT entry_seq_check',
  ];

  it('who alters a leaf is found by its number', async () => {
    await asSuperuser(forge(17), forge(599));
    expect(bad(await verify())).toEqual([
      'entry 17 ERR_BUNDLE_ENTRY_ALTERED',
      'entry 599 ERR_BUNDLE_ENTRY_ALTERED',
    ]);
  });

  it('who mends the hash after it is found by its number too, where a tile was full', async () => {
    await asSuperuser(forge(17), rehash(17));
    expect(bad(await verify())).toEqual(['entry 17 ERR_BUNDLE_ENTRY_ALTERED']);
  });

  it('who mends the hash of one of the last entries is found by the root', async () => {
    await asSuperuser(forge(599), rehash(599));
    expect(bad(await verify())).toEqual(['hashes.bin ERR_BUNDLE_ROOT_MISMATCH']);
  });

  it('who alters many is found by the first five', async () => {
    await asSuperuser(...Array.from({ length: 40 }, (_, i) => forge(100 + 2 * i)));
    const report = await verify();
    expect(report.findings.map(({ seq }) => seq)).toEqual([100, 102, 104, 106, 108]);
    expect(report).toMatchObject({ badEntries: 40, included: ENTRIES - 40 });
  });

  it('who deletes the last entries makes an export end before them', async () => {
    await asSuperuser(...noConstraints, 'DELETE FROM entry WHERE seq >= 590');
    expect(await exported()).toMatchObject({ to: ENTRIES, entries: 590 });
  });

  it('who deletes one in between makes an export end before it', async () => {
    await asSuperuser(...noConstraints, 'DELETE FROM entry WHERE seq = 42');
    expect(await exported()).toMatchObject({ entries: 42 });
  });

  it('who swaps two is found by both', async () => {
    await asSuperuser(...noConstraints, ...swap(20, 30));
    expect(bad(await verify())).toEqual([
      'entry 20 ERR_BUNDLE_ENTRY_ALTERED',
      'entry 30 ERR_BUNDLE_ENTRY_ALTERED',
    ]);
  });

  it('who inserts one is found by all that were moved', async () => {
    await asSuperuser(
      ...noConstraints,
      'UPDATE entry SET seq = -seq WHERE seq >= 50',
      'UPDATE entry SET seq = -seq + 1 WHERE seq < 0',
      `INSERT INTO entry (seq, leaf_hash, leaf, topic, partition, bus_offset, appended_at_ms, admitted)
         SELECT 50, leaf_hash, leaf, topic, partition, bus_offset, appended_at_ms, admitted FROM entry WHERE seq = 3`,
    );
    const { findings } = await verify();
    expect(findings.slice(0, 5).map(({ seq }) => seq)).toEqual([50, 51, 52, 53, 54]);
  });

  it('who rewrites everything and signs it with the real key is found by the head that somebody kept', async () => {
    await asSuperuser(
      ...noConstraints,
      'DELETE FROM payload',
      'DELETE FROM entry',
      'DELETE FROM tile',
      'DELETE FROM checkpoint',
      "UPDATE tree_head SET size = 0, nodes = ''",
    );
    await append(ENTRIES);
    await sign();
    const { files } = await exported({ since: EARLIER });
    expect(verifyBundle(files, trust).verdict).toBe('good');
    expect(bad(verifyBundle(files, trust, headThen()))).toEqual([
      'earlier checkpoint ERR_BUNDLE_LOG_REWRITTEN',
    ]);
  });
});
