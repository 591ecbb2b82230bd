import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { observe } from '../servers/observe.mjs';
import { lock, LockHeld, lockHolder } from './lock.mjs';

let file: string;
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'lock-')), 'run', 'start.lock');
});
afterEach(() => rmSync(join(file, '..', '..'), { recursive: true, force: true }));

const entry = (pid: number, startedAt: string) => JSON.stringify({ pid, startedAt });

it('is held until it is released', async () => {
  const held = await lock(file);
  expect(await lockHolder(file)).toBe(process.pid);
  await expect(lock(file)).rejects.toThrow(LockHeld);
  held.release();
  expect(existsSync(file)).toBe(false);
  (await lock(file)).release();
});
it('is waited for by whoever wants to', async () => {
  const held = await lock(file);
  const second = lock(file, { waitMs: 10_000 });
  held.release();
  (await second).release();
});
it('names a living holder', async () => {
  const other = spawn('sleep', ['60'], { stdio: 'ignore' });
  await new Promise((resolve) => other.once('spawn', resolve));
  const held = await lock(file);
  writeFileSync(file, entry(other.pid ?? NaN, (await observe(other.pid ?? NaN))?.startedAt ?? ''));
  await expect(lock(file)).rejects.toMatchObject({ pid: other.pid });
  other.kill('SIGKILL');
  held.release();
});
it.each([
  ['whose holder is dead', entry(2 ** 30, 'boot-1:1')],
  ['whose number belongs to another process now', entry(process.pid, 'boot-1:1')],
  ['that says nothing', ''],
])('is taken over from one %s', async (_which, stale) => {
  (await lock(file)).release();
  writeFileSync(file, stale);
  const held = await lock(file);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ pid: process.pid });
  held.release();
});
it('is not released by one who lost it', async () => {
  const held = await lock(file);
  writeFileSync(file, entry(1, 'boot-1:1'));
  held.release();
  expect(readFileSync(file, 'utf8')).toBe(entry(1, 'boot-1:1'));
});
it('has one holder when several want it at once', async () => {
  (await lock(file)).release();
  writeFileSync(file, entry(2 ** 30, 'boot-1:1'));
  const results = await Promise.allSettled([lock(file), lock(file), lock(file)]);
  const held = results.filter((result) => result.status === 'fulfilled');
  expect(held).toHaveLength(1);
  held[0]?.value.release();
});
