import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canEnter, postgresUser } from '../servers/postgres-user.mjs';
import { defaultStateDir, MARKER, openStateDir } from './state-dir.mjs';

let parent: string;
let clone: string;
beforeEach(() => {
  parent = realpathSync(mkdtempSync(join(tmpdir(), 'state-dir-'))); // mode 0700
  clone = join(parent, 'clone');
  mkdirSync(clone);
});
afterEach(() => {
  const state = join(clone, '.mayfly');
  if (existsSync(state)) rmSync(realpathSync(state), { recursive: true, force: true });
  rmSync(parent, { recursive: true, force: true });
});

it('is in a clone that PostgreSQL’s account can enter', async () => {
  chmodSync(parent, 0o711);
  expect(await defaultStateDir(clone)).toBe(join(clone, '.mayfly'));
});
it('is where PostgreSQL’s account can enter, and `.mayfly` leads there, in a clone below a folder closed to others', async () => {
  const stateDir = await defaultStateDir(clone);
  expect(await canEnter(await postgresUser(), stateDir)).toBe(true);
  expect(realpathSync(join(clone, '.mayfly'))).toBe(stateDir);
  expect(await defaultStateDir(clone)).toBe(stateDir);
});
it('takes along what was kept when the clone was closed later', async () => {
  chmodSync(parent, 0o711);
  writeFileSync(join(await defaultStateDir(clone), 'kept'), 'yes');
  chmodSync(parent, 0o700);
  const stateDir = await defaultStateDir(clone);
  expect(existsSync(join(stateDir, 'kept'))).toBe(true);
  expect(await canEnter(await postgresUser(), stateDir)).toBe(true);
});
it('is the folder of MAYFLY_STATE_DIR, marked as ours when it is new', async () => {
  chmodSync(parent, 0o711);
  const asked = join(parent, 'elsewhere');
  expect(await openStateDir(clone, { MAYFLY_STATE_DIR: asked })).toBe(asked);
  expect(existsSync(join(asked, MARKER))).toBe(true);
});
it('is not marked as ours when it holds something of somebody else’s', async () => {
  chmodSync(parent, 0o711);
  const asked = join(parent, 'elsewhere');
  mkdirSync(asked);
  writeFileSync(join(asked, 'thesis.tex'), 'irreplaceable');
  await openStateDir(clone, { MAYFLY_STATE_DIR: asked });
  expect(existsSync(join(asked, MARKER))).toBe(false);
});
