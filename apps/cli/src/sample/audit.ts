/** The end of the sample: what the log holds about the task, and the proof that it does. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { hasher } from '#merkle/node/hasher.js';
import { parseVerifier } from '#merkle/node/keys.js';
import { verifyTlogProof } from '#merkle/tlog-proof.js';
import { AuditorClient } from '../auditor-client.js';
import type { Story } from '../auditor-client.js';
import { SAMPLE_OPERATOR } from '../commands/context.js';
import { CliError } from '../failure.js';
import type { MayflyClient } from '../mayfly-client.js';
import type { Narrator } from './narrator.js';

const WITHIN_MS = 20_000;
/** Each read of the audit is recorded, so it is not asked all the time. */
const EVERY_MS = 400;
/** What must be there in the end. */
const WANTED = [
  'task.started',
  'task.accepted',
  'call.decided',
  'lease.intended',
  'lease.issued',
  'task.ended',
  'lease.access_cut',
  'lease.removed',
];
/** The step whose entry is proven: that the access is gone. */
const PROVEN = 'lease.access_cut';

export async function tellAudit(client: MayflyClient, narrator: Narrator, taskId: string): Promise<void> {
  narrator.step('The log has it all');
  const auditor = new AuditorClient(client.addresses.auditor, () => client.svid(SAMPLE_OPERATOR, 'mayfly'));
  const { steps } = await eventually('the story of the task is not complete', async () => {
    const story = await auditor.story(taskId);
    return story !== undefined && isComplete(story) ? story : undefined;
  });
  for (const { seq, type, line } of steps) {
    if (type !== 'access.read')
      narrator.fact(`#${String(seq).padEnd(4)} ${type.padEnd(26)} ${shortened(line)}`);
  }

  const { seq } = steps.find(({ type }) => type === PROVEN)!;
  const [leaf, proof] = [
    await auditor.leaf(seq),
    await eventually('no checkpoint covers the entry', () => auditor.proof(seq)),
  ];
  const vkey = (await readFile(join(client.folder, 'keys', 'log-signer.vkey'), 'utf8')).trim();
  const size = prove({ seq, leaf, proof, vkey, taskId });
  narrator.step('And proves it');
  narrator.fact(`inclusion  entry ${seq} (${PROVEN}) is in the log of ${size} entries: verified`);
  narrator.fact(`           against a checkpoint signed by ${vkey.split('+').slice(0, 2).join('+')}`);
}

const LINE_WIDTH = 100;
const shortened = (line: string) => (line.length > LINE_WIDTH ? `${line.slice(0, LINE_WIDTH - 1)}…` : line);

const isComplete = ({ steps }: Story) => WANTED.every((wanted) => steps.some(({ type }) => type === wanted));

const leafMembers = z.object({ type: z.string(), task: z.string() });

/**
 * Verifies that the bytes are an entry of the log, and say what the story said.
 * @returns the size of the tree that the proof is against. @throws MerkleError; CliError ERR_CLI_ANSWER
 */
export function prove(entry: {
  seq: number;
  leaf: Buffer;
  proof: string;
  vkey: string;
  taskId: string;
}): bigint {
  const verifier = parseVerifier(entry.vkey);
  const proven = verifyTlogProof(hasher, entry.proof, entry.leaf, {
    origin: verifier.name,
    verifiers: [verifier],
  });
  const said = leafMembers.parse(JSON.parse(entry.leaf.toString('utf8')));
  if (proven.index !== BigInt(entry.seq) || said.type !== PROVEN || said.task !== entry.taskId)
    throw new CliError('ERR_CLI_ANSWER', 'the proof is of another entry');
  return proven.checkpoint.size;
}

async function eventually<T>(otherwise: string, look: () => Promise<T | undefined>): Promise<T> {
  const untilMs = performance.now() + WITHIN_MS;
  while (performance.now() < untilMs) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(EVERY_MS);
  }
  throw new CliError('ERR_CLI_TIMEOUT', `${otherwise} after ${WITHIN_MS} ms`);
}
