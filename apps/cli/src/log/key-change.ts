/**
 * `mayfly log key …`: the log's key, changed. Offline: they make keys and trust files, and say what is to be done with them; the
 * signer signs with what it is given (docs/how-to/rotate-the-log-key.md).
 */
import { generateNoteKey } from '#merkle/node/keys.js';
import { MerkleError } from '#bundle/merkle.js';
import type { CommandContext } from '../commands/context.js';
import { CliError } from '../failure.js';
import { writeNewFile } from '../new-file.js';
import { keysIn, originIn, readTrust, readTrusted, trustOf, withKey, withoutKeys } from './trust-text.js';

const HOW_TO = 'docs/how-to/rotate-the-log-key.md';

export interface KeyNewOptions {
  origin: string;
  keyOut: string;
}
export interface KeyRotateOptions {
  policy: string;
  origin?: string;
  keyOut: string;
  policyOut: string;
}
export interface KeyRetireOptions {
  policy: string;
  checkpoint: string;
  policyOut: string;
}
export interface KeyCompromisedOptions {
  policy: string;
  checkpoint: string;
  origin: string;
  keyOut: string;
  policyOut: string;
}

/** A key of a log that begins. @throws CliError ERR_CLI_USAGE, ERR_CLI_FILE */
export async function keyNew({ origin, keyOut }: KeyNewOptions, { output }: CommandContext): Promise<void> {
  const vkey = await makeKey(origin, keyOut);
  output.answer(vkey, { origin, vkey, key: keyOut });
}

/** The key that follows the present one, and the trust file that takes both. @throws CliError ERR_CLI_USAGE, ERR_CLI_FILE */
export async function keyRotate(options: KeyRotateOptions, { output }: CommandContext): Promise<void> {
  const { policy, keyOut, policyOut } = options;
  const { text, trust } = await readTrust(policy);
  const origin = originIn(trust, options.origin);
  const vkey = await makeKey(origin, keyOut);
  await writeNewFile(policyOut, withKey(text, vkey), 0o644);
  output.answer(vkey, { origin, vkey, key: keyOut, policy: policyOut });
  output.remark(`hand out ${policyOut}, then give the signer both keys: ${HOW_TO}`);
}

/**
 * The trust file without a key that does not sign any more.
 * @param vkey the key, or its name and id
 * @throws CliError ERR_CLI_NOT_PROVEN while no key that stays has signed the checkpoint, ERR_CLI_USAGE, ERR_CLI_FILE
 */
export async function keyRetire(
  vkey: string,
  { policy, checkpoint, policyOut }: KeyRetireOptions,
  { output }: CommandContext,
): Promise<void> {
  const { text } = await readTrust(policy);
  const isGone = (each: string) => each === vkey || each.startsWith(`${vkey}+`);
  const gone = keysIn(text).filter(isGone);
  if (gone.length !== 1) throw new CliError('ERR_CLI_USAGE', `the trust file has no key \`${vkey}\``);
  if (gone.length === keysIn(text).length)
    throw new CliError('ERR_CLI_USAGE', 'the trust file has no other key: rotate first');
  const without = withoutKeys(text, isGone);
  const { head } = await readTrusted(checkpoint, trustOf(without, policy));
  await writeNewFile(policyOut, without, 0o644);
  const { origin, size, signedBy } = head;
  output.answer(`size ${size} of ${origin} is signed by ${signedBy.join(', ')}`, {
    ...{ origin, retired: gone[0], size: String(size), signedBy, policy: policyOut },
  });
  output.remark(`take the key from the signer, hand out ${policyOut}, and destroy the key: ${HOW_TO}`);
}

/**
 * For another log, in place of one whose key was stolen: its key, and its trust file, with the same witnesses.
 * @throws CliError ERR_CLI_NOT_PROVEN where the checkpoint is not good, ERR_CLI_USAGE, ERR_CLI_FILE
 */
export async function keyCompromised(
  options: KeyCompromisedOptions,
  { output }: CommandContext,
): Promise<void> {
  const { policy, checkpoint, origin, keyOut, policyOut } = options;
  const { text, trust } = await readTrust(policy);
  if (trust.logs.some(({ key }) => key.name === origin))
    throw new CliError('ERR_CLI_USAGE', 'another log needs another origin: this one is in the trust file');
  const { head: former } = await readTrusted(checkpoint, trust);
  const vkey = await makeKey(origin, keyOut);
  const others = withoutKeys(withKey(text, vkey), (each) => each.startsWith(`${former.origin}+`));
  await writeNewFile(policyOut, others, 0o644);
  output.answer(`${vkey}\nin place of ${former.origin}, which was good up to size ${former.size}`, {
    ...{ origin, vkey, key: keyOut, policy: policyOut },
    former: { origin: former.origin, size: String(former.size) },
  });
  output.remark(`begin the log ${origin} in an empty schema, with log.continues: ${checkpoint} (${HOW_TO})`);
}

/** @returns its public half */
async function makeKey(origin: string, file: string): Promise<string> {
  try {
    const { skey, vkey } = generateNoteKey(origin);
    await writeNewFile(file, `${skey}\n`, 0o600);
    return vkey;
  } catch (cause) {
    if (!(cause instanceof MerkleError)) throw cause;
    throw new CliError('ERR_CLI_USAGE', `\`${origin}\` cannot be the name of a log`, { cause });
  }
}
