/** `mayfly call`: one tool call. The credential goes to a file of its owner's alone, or to standard output if one insists. */
import { join } from 'node:path';
import { v7 as uuidV7 } from 'uuid';
import type {
  OpenedCredential,
  OpenedJwt,
  OpenedKafka,
  OpenedPostgres,
  OpenedRedis,
} from '#agent/open-envelope.js';
import { unreachable } from '#events/unreachable.js';
import { MayflyClient } from '../mayfly-client.js';
import { PrivateFile } from '../private-file.js';
import { asTaskId, stateFolder } from '../state-folder.js';
import { VERDICT_WITHIN_MS } from './context.js';
import type { CommandContext } from './context.js';

export interface CallOptions {
  task: string;
  tool: string;
  dataset?: string;
  action: string;
  as: string;
  /** Seconds. */
  ttl?: number;
  /** Seconds, for people. */
  wait?: number;
  out?: string;
  showSecret?: boolean;
}

export async function call(options: CallOptions, { env, output }: CommandContext): Promise<void> {
  const taskId = asTaskId(options.task);
  const keep = options.showSecret !== true || options.out !== undefined;
  const out = options.out ?? join(stateFolder(env), 'agents', taskId, `${uuidV7()}.credential.json`);
  // Opened before the call is made: a credential that cannot be kept should not exist.
  const draft = keep ? await PrivateFile.create(out) : undefined;
  let client: MayflyClient | undefined;
  try {
    client = await MayflyClient.open(env);
    const { callId, credential } = await client.call(
      {
        taskId,
        tool: options.tool,
        action: options.action,
        ...(options.dataset === undefined ? {} : { dataset: options.dataset }),
        ...(options.ttl === undefined ? {} : { ttlMs: options.ttl * 1000 }),
      },
      options.as,
      Math.max(VERDICT_WITHIN_MS, (options.wait ?? 0) * 1_000),
      options.wait === undefined
        ? undefined
        : ({ approval, expiresAt }) =>
            output.remark(`waits for an approval until ${expiresAt}: mayfly approve ${approval}`),
    );
    await draft?.keep(`${JSON.stringify(inClear(credential), null, 2)}\n`);
    const where = keep ? { out } : {};
    output.answer(text(credential, options.showSecret === true, keep ? out : undefined), {
      taskId,
      callId,
      leaseId: credential.leaseId,
      credential: options.showSecret === true ? inClear(credential) : credential,
      ...where,
    });
  } finally {
    await draft?.close();
    await client?.close();
  }
}

function inClear(credential: OpenedCredential) {
  if (credential.kind === 'jwt') return { ...credential, token: credential.token.reveal() };
  const { connection } = credential;
  return { ...credential, connection: { ...connection, password: connection.password.reveal() } };
}

function text(credential: OpenedCredential, show: boolean, out?: string): string {
  return [
    `lease      ${credential.leaseId}`,
    ...linesOf(credential, show),
    `not after  ${credential.notAfter}`,
    ...(out === undefined ? [] : [`kept in    ${out}`]),
  ].join('\n');
}

function linesOf(credential: OpenedCredential, show: boolean): string[] {
  switch (credential.kind) {
    case 'postgres':
      return loginLines(credential, show);
    case 'kafka':
      return saslLines(credential, show);
    case 'redis':
      return nodeLines(credential, show);
    case 'jwt':
      return tokenLines(credential, show);
    default:
      return unreachable(credential);
  }
}

function saslLines({ connection }: OpenedKafka, show: boolean): string[] {
  const { brokers, mechanism, username, password } = connection;
  return [
    `user       ${username}, by ${mechanism}`,
    ...(show ? [`password   ${password.reveal()}`] : []),
    `at         ${brokers.join(',')}`,
  ];
}

function nodeLines({ connection }: OpenedRedis, show: boolean): string[] {
  const { nodes, username, password } = connection;
  return [
    `user       ${username}`,
    ...(show ? [`password   ${password.reveal()}`] : []),
    `at         ${nodes.map(({ host, port }) => `${host}:${port}`).join(', ')}`,
  ];
}

const tokenLines = ({ token }: OpenedJwt, show: boolean) =>
  show ? [`token      ${token.reveal()}`] : ['token      sent with a DPoP proof by the key of this call'];

function loginLines({ connection }: OpenedPostgres, show: boolean): string[] {
  const { host, port, database, user, password } = connection;
  return [
    `user       ${user}`,
    ...(show ? [`password   ${password.reveal()}`] : []),
    `at         ${host}:${port}/${database}`,
  ];
}
