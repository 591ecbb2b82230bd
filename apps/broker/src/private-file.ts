/** A secret that an operator keeps in a file. */
import { open } from 'node:fs/promises';
import { IdentityError } from '#identity/errors.js';

const OTHERS_ACCESS = 0o077;

/** @throws IdentityError ERR_IDENTITY_FILE_UNREADABLE; ERR_IDENTITY_KEY_INVALID for one that is open to others than its owner */
export async function readPrivateFile(file: string): Promise<string> {
  const { text, mode } = await readWithMode(file);
  // No cause and no text anywhere: the text is the secret.
  if ((mode & OTHERS_ACCESS) !== 0)
    throw new IdentityError('ERR_IDENTITY_KEY_INVALID', 'the file is open to others: mode 0600 is wanted', {
      file,
    });
  return text;
}

/** Text and mode of the same file, whatever is put in its place meanwhile. */
async function readWithMode(file: string): Promise<{ text: string; mode: number }> {
  try {
    const handle = await open(file, 'r');
    try {
      const { mode } = await handle.stat();
      return { text: await handle.readFile('utf8'), mode };
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new IdentityError('ERR_IDENTITY_FILE_UNREADABLE', 'cannot read the file', { file }, { cause });
  }
}
