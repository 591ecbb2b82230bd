/** The witness as a process of its own: what it answers, and that it cosigns one history only, whenever it is killed. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { byteLeaves, nodeReader } from '../../libs/merkle/spec/leaves.js';
import { logKey, logSigner, ORIGIN } from '../../libs/merkle/spec/sample-log.js';
import { formatAddCheckpoint } from '../../libs/merkle/src/add-checkpoint.js';
import { signCheckpoint } from '../../libs/merkle/src/checkpoint.js';
import { append, EMPTY_RANGE, rootOf } from '../../libs/merkle/src/compact-range.js';
import type { Hash } from '../../libs/merkle/src/hash.js';
import { openNote } from '../../libs/merkle/src/note.js';
import { proveConsistency } from '../../libs/merkle/src/proof.js';
import { hasher } from '../../libs/merkle/node/hasher.js';
import { generateNoteKey, parseSigner, parseWitness } from '../../libs/merkle/node/keys.js';
import { WitnessProcess } from '../../test/support/witness-process.js';

const NAME = 'witness.example/north';
/** Two histories of one log, both signed by it: they have nothing in common. */
const LEAVES = byteLeaves(40);
const OTHER = LEAVES.toReversed();

let state: string;
let witness: WitnessProcess;
const start = async (port?: number) => {
  witness = await WitnessProcess.start({ name: NAME, logs: [logKey.vkey], state, ...(port && { port }) });
};
beforeEach(async () => {
  state = mkdtempSync(join(tmpdir(), 'mini-witness-'));
  await start();
});
afterEach(async () => {
  await witness.stop();
  rmSync(state, { recursive: true });
});

const noteOf = (leaves: readonly Hash[], size: number, signer = logSigner): string => {
  const root = rootOf(hasher, append(hasher, EMPTY_RANGE, leaves.slice(0, size)));
  return signCheckpoint({ origin: signer.name, size: BigInt(size), root }, [signer]);
};
const bodyOf = (leaves: readonly Hash[], from: number, to: number): string => {
  const proof = proveConsistency(hasher, BigInt(from), BigInt(to), nodeReader(leaves));
  return formatAddCheckpoint({ oldSize: BigInt(from), proof, checkpoint: noteOf(leaves, to) });
};
async function post(body: string, path = '/add-checkpoint'): Promise<{ status: number; text: string }> {
  const response = await fetch(`${witness.url}${path}`, { method: 'POST', body });
  return { status: response.status, text: await response.text() };
}
const add = (from: number, to: number, leaves = LEAVES) => post(bodyOf(leaves, from, to));

it('cosigns a head, and each that extends it, with a key that verifies', async () => {
  for (const [from, to] of [
    [0, 3],
    [3, 8],
    [8, 8],
    [8, 40],
  ] as const) {
    const { status, text } = await add(from, to);
    expect(status).toBe(200);
    const { verified } = openNote(noteOf(LEAVES, to) + text, [parseWitness(witness.vkey)]);
    expect(verified.map(({ key }) => key.name)).toEqual([NAME]);
  }
});

it('says which size it cosigned last to a log that thinks otherwise', async () => {
  await add(0, 5);
  const response = await fetch(`${witness.url}/add-checkpoint`, {
    method: 'POST',
    body: bodyOf(LEAVES, 3, 8),
  });
  expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
    409,
    'text/x.tlog.size',
    '5\n',
  ]);
});

it('cosigns no other history, neither of the same size, nor a longer or a shorter one', async () => {
  await add(0, 5);
  expect(await add(5, 5, OTHER)).toEqual({ status: 409, text: '5\n' });
  expect(await add(5, 8, OTHER)).toEqual({ status: 422, text: '' });
  expect(await add(3, 3)).toEqual({ status: 409, text: '5\n' });
});

it.each([
  ['no request', 'hello', 400],
  ['an old size above the new one', bodyOf(LEAVES, 3, 8).replace('old 3', 'old 9'), 400],
  ['what is too large', 'x'.repeat(70_000), 413],
])('refuses %s', async (_what, body, status) => {
  expect((await post(body).catch(() => ({ status: 413 }))).status).toBe(status);
});

it('watches the logs it was told of, by their keys, and answers nothing else', async () => {
  const stranger = parseSigner(generateNoteKey('other.example').skey);
  expect((await post(`old 0\n\n${noteOf(LEAVES, 3, stranger)}`)).status).toBe(404);
  const forger = parseSigner(generateNoteKey(ORIGIN).skey);
  expect((await post(`old 0\n\n${noteOf(LEAVES, 3, forger)}`)).status).toBe(403);
  expect((await post('', '/')).status).toBe(404);
  expect((await fetch(`${witness.url}/add-checkpoint`)).status).toBe(405);
});

it('goes on after a restart with the same key and the same memory', async () => {
  await add(0, 5);
  const { vkey } = witness;
  await witness.stop('SIGTERM');
  await start();
  expect(witness.vkey).toBe(vkey);
  expect(await add(0, 8, OTHER)).toEqual({ status: 409, text: '5\n' });
  expect((await add(5, 8)).status).toBe(200);
});

it('cosigns one history, whenever it is killed', async () => {
  await add(0, 1);
  let latest = 1;
  for (const killAfterMs of [0, 1, 2, 4, 7, 12]) {
    const cosigned = [latest];
    // Many heads in a row, so that the kill falls on one of them.
    const offering = (async () => {
      for (let size = latest + 1; size <= latest + 6; size += 1)
        if ((await add(size - 1, size)).status === 200) cosigned.push(size);
    })().catch(() => undefined);
    await sleep(killAfterMs);
    await witness.stop();
    await offering;
    await start();

    const { status, text } = await add(0, 40, OTHER);
    expect(status).toBe(409);
    expect(Number(text)).toBeGreaterThanOrEqual(Math.max(...cosigned));
    latest = Number(text);
    expect((await add(latest, 40, OTHER)).status).toBe(422);
    expect((await add(latest, latest)).status).toBe(200);
  }
}, 60_000);

it('forgets nothing where its file is damaged: it answers nobody', async () => {
  await add(0, 5);
  const [file = ''] = readdirSync(state).filter((each) => each.endsWith('.checkpoint'));
  writeFileSync(join(state, file), '');
  expect((await add(0, 8, OTHER)).status).toBe(500);
});

it('keeps its key for itself', () => {
  expect(statSync(join(state, 'key')).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(state, 'key'), 'utf8')).toMatch(/^PRIVATE\+KEY\+witness\.example\/north\+/);
});

it('has at most 200 lines, and imports libs/merkle and Node alone', () => {
  const sources = readdirSync(import.meta.dirname).filter((name) => /(?<!\.spec)\.ts$/.test(name));
  const texts = sources.map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'));
  expect(texts.join('').trimEnd().split('\n').length).toBeLessThanOrEqual(200);
  const imported = texts.flatMap((text) =>
    [...text.matchAll(/ from '([^']+)'/g)].map(([, from = '']) => from),
  );
  expect(imported.filter((from) => !/^(node:|#merkle\/|\.\/)/.test(from))).toEqual([]);
});
