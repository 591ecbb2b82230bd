/** Trust files (C2SP tlog-policy) as text: lines of logs are added and taken out, and all the others stay as they are. */
import { readFile } from 'node:fs/promises';
import { BundleError } from '#bundle/errors.js';
import { MerkleError } from '#bundle/merkle.js';
import { openTrusted, parseTrust, type Trust } from '#bundle/trust.js';
import { CliError } from '../failure.js';

const wordsOf = (line: string): string[] => line.split(/[ \t]+/).filter((word) => word !== '');
const isLog = (line: string): boolean => wordsOf(line)[0] === 'log';
/** The key of a line of a log. */
const vkeyOf = (line: string): string => wordsOf(line)[1] ?? '';

/** A trust file. @throws CliError ERR_CLI_FILE for what is none */
export async function readTrust(file: string): Promise<{ text: string; trust: Trust }> {
  const text = await textOf(file);
  return { text, trust: trustOf(text, file) };
}

/** @throws CliError ERR_CLI_USAGE where the file names several logs, or another one */
export function originIn({ logs }: Trust, asked?: string): string {
  const origins = [...new Set(logs.map(({ key }) => key.name))];
  const origin = asked ?? origins[0] ?? '';
  if (!origins.includes(origin))
    throw new CliError('ERR_CLI_USAGE', `the trust file has no log \`${origin}\``);
  if (asked === undefined && origins.length > 1)
    throw new CliError('ERR_CLI_USAGE', 'the trust file has several logs: say which with --origin');
  return origin;
}

/** With one more key, behind those of its log. */
export function withKey(text: string, vkey: string): string {
  const lines = text.split('\n');
  const last = lines.findLastIndex(isLog);
  return lines.toSpliced(last + 1, 0, `log ${vkey}`).join('\n');
}

/** Without the lines of these keys. */
export const withoutKeys = (text: string, isGone: (vkey: string) => boolean): string =>
  text
    .split('\n')
    .filter((line) => !isLog(line) || !isGone(vkeyOf(line)))
    .join('\n');

/** All keys of the logs, as they are written. */
export const keysIn = (text: string): string[] => text.split('\n').filter(isLog).map(vkeyOf);

/** @throws CliError ERR_CLI_FILE */
export function trustOf(text: string, file: string): Trust {
  try {
    return parseTrust(text);
  } catch (cause) {
    if (!(cause instanceof BundleError)) throw cause;
    throw new CliError('ERR_CLI_FILE', `\`${file}\`: ${cause.message}`, { cause });
  }
}

/** A checkpoint, with its text, that the trust file takes. @throws CliError ERR_CLI_NOT_PROVEN for any other, ERR_CLI_FILE */
export async function readTrusted(file: string, trust: Trust) {
  const note = await textOf(file);
  try {
    return { note, head: openTrusted(note, trust, 'checkpoint') };
  } catch (cause) {
    if (!(cause instanceof BundleError) && !(cause instanceof MerkleError)) throw cause;
    throw new CliError(
      'ERR_CLI_NOT_PROVEN',
      `\`${file}\` is not what the trust file asks for (${cause.code})`,
      {
        cause,
      },
    );
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new CliError('ERR_CLI_FILE', `\`${file}\` cannot be read`, { cause });
  }
}
