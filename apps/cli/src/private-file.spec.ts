import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PrivateFile } from './private-file.js';

describe('private file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'private-file-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is of its owner alone, even where another file was open to all', async () => {
    const path = join(folder, 'credential.json');
    await writeFile(path, 'old', { mode: 0o644 });
    const file = await PrivateFile.create(path);
    await file.keep('new');
    await file.close();
    expect(await readFile(path, 'utf8')).toBe('new');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['credential.json']);
  });

  it('leaves nothing behind when nothing was kept', async () => {
    const file = await PrivateFile.create(join(folder, 'credential.json'));
    await file.close();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is refused where nothing can be written', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(PrivateFile.create(join(folder, 'file', 'credential.json'))).rejects.toMatchObject({
      code: 'ERR_CLI_FILE',
    });
  });
});
