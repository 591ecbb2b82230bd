/**
 * The file that holds the password of one of our accounts: one line, or two while it is being changed, the newer one first. It is replaced as
 * a whole, so that whoever reads it sees one state or the next, and what is in it survives a power cut.
 */
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Secret } from '../secret.js';

/** No text of the file is in the message: it is a secret. */
export class PasswordFileError extends Error {
  override readonly name = 'PasswordFileError';
  readonly code = 'ERR_PASSWORD_FILE';
  constructor(
    readonly file: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const EVERYBODYS = 0o007;
const MOST = 2;

/** @returns the newer one first. @throws PasswordFileError */
export async function readPasswords(file: string): Promise<[Secret, ...Secret[]]> {
  const { text, mode } = await readWithMode(file);
  if ((mode & EVERYBODYS) !== 0)
    throw new PasswordFileError(file, 'the password file is open to everybody: mode 0600 is wanted');
  const [first, ...more] = text.split(/\r?\n/).filter((line) => line !== '');
  if (first === undefined || more.length >= MOST)
    throw new PasswordFileError(file, 'the password file holds no password, or more than two lines');
  return [new Secret(first), ...more.map((line) => new Secret(line))];
}

/** Mode 0600. @throws PasswordFileError */
export async function writePasswords(file: string, passwords: readonly Secret[]): Promise<void> {
  const part = `${file}.part`;
  try {
    const handle = await open(part, 'w', 0o600);
    try {
      await handle.chmod(0o600);
      await handle.writeFile(passwords.map((password) => `${password.reveal()}\n`).join(''));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, file);
    await syncFolder(dirname(file));
  } catch (cause) {
    throw new PasswordFileError(file, 'the password file cannot be replaced', { cause });
  }
}

/** The rename itself is kept. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

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
    throw new PasswordFileError(file, 'the password file cannot be read', { cause });
  }
}
