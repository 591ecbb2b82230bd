import { link, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { v4 as uuidV4 } from 'uuid';
import { CliError } from './failure.js';

/**
 * Writes a file that is not there yet: it appears whole, or not at all, and never over another one.
 * @param mode 0600 for what is its owner's alone
 * @throws CliError ERR_CLI_FILE
 */
export async function writeNewFile(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${uuidV4()}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const handle = await open(draft, 'wx', mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(draft, path);
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new CliError('ERR_CLI_FILE', `\`${path}\` ${isThere ? 'is there already' : 'cannot be written'}`, {
      cause,
    });
  } finally {
    await rm(draft, { force: true });
  }
}
