/**
 * Opens a delivered credential: a compact JWE (RFC 7516), `ECDH-ES` with `A256GCM`, sealed to one call's seal key. The
 * protected header is under the same authentication tag as the secret, so once it opens, what it names is what was sealed.
 */
import { compactDecrypt, decodeProtectedHeader } from 'jose';
import { z } from 'zod';
import { uuidV7 } from '#events/inbound.js';
import { DELIVERY } from '#events/topics.js';
import { unreachable } from '#events/unreachable.js';
import { Secret } from '#providers/secret.js';
import { AgentError } from './agent-error.js';
import type { SealKeyPair } from './seal-key.js';

/** Longer than any envelope we write: looked at before anything is parsed. */
const MAX_ENVELOPE_CHARACTERS = 65_536;

const protectedHeader = z.strictObject({
  alg: z.literal('ECDH-ES'),
  enc: z.literal('A256GCM'),
  typ: z.literal('mayfly-credential+jwe'),
  kid: z.string(),
  epk: z.record(z.string(), z.unknown()),
  leaseId: uuidV7,
  taskId: uuidV7,
  callId: uuidV7,
  agent: z.string(),
  topic: z.string(),
});
export type EnvelopeHeader = z.infer<typeof protectedHeader>;

const common = { leaseId: uuidV7, notAfter: z.iso.datetime({ offset: false }) };
const postgres = z.object({
  kind: z.literal('postgres'),
  ...common,
  connection: z.object({
    host: z.string().min(1),
    port: z.int().positive().max(65_535),
    database: z.string().min(1),
    user: z.string().min(1),
    password: z.string().min(1),
    tls: z.object({ mode: z.enum(['disable', 'verify-full']), ca: z.string().optional() }),
  }),
});
const server = { host: z.string().min(1), port: z.int().positive().max(65_535) };
const redis = z.object({
  kind: z.literal('redis'),
  ...common,
  connection: z.object({
    ...server,
    nodes: z.array(z.object(server)).min(1),
    username: z.string().min(1),
    password: z.string().min(1),
    tls: z.object({ mode: z.enum(['disable', 'verify-full']), ca: z.string().optional() }),
  }),
});
const jwt = z.object({ kind: z.literal('jwt'), ...common, token: z.string().min(1), dpop: z.literal(true) });
const kafka = z.object({
  kind: z.literal('kafka'),
  ...common,
  connection: z.object({
    brokers: z.array(z.string().min(1)).min(1),
    mechanism: z.enum(['scram-sha-256', 'scram-sha-512']),
    username: z.string().min(1),
    password: z.string().min(1),
    tls: z.object({ mode: z.enum(['disable', 'verify-full']), ca: z.string().optional() }),
  }),
});
const plaintext = z.discriminatedUnion('kind', [postgres, jwt, redis, kafka]);
type Plaintext = z.infer<typeof plaintext>;

/** A credential as opened. What is secret in it is a `Secret`: printing the whole thing does not show it. */
export type OpenedCredential = OpenedPostgres | OpenedJwt | OpenedRedis | OpenedKafka;

export interface OpenedPostgres extends Omit<z.infer<typeof postgres>, 'connection'> {
  connection: Omit<z.infer<typeof postgres>['connection'], 'password'> & { password: Secret };
}
export interface OpenedKafka extends Omit<z.infer<typeof kafka>, 'connection'> {
  connection: Omit<z.infer<typeof kafka>['connection'], 'password'> & { password: Secret };
}
export interface OpenedRedis extends Omit<z.infer<typeof redis>, 'connection'> {
  connection: Omit<z.infer<typeof redis>['connection'], 'password'> & { password: Secret };
}
/** An access token, of use only with a DPoP proof (RFC 9449) by the key that the agent called with. */
export interface OpenedJwt extends Omit<z.infer<typeof jwt>, 'token'> {
  token: Secret;
}

/** The header of an envelope not yet opened: nothing in it has been verified. @throws AgentError ERR_ENVELOPE_INVALID */
export function envelopeHeader(envelope: string): EnvelopeHeader {
  if (envelope.length > MAX_ENVELOPE_CHARACTERS)
    throw new AgentError('ERR_ENVELOPE_INVALID', 'the envelope is too large', {
      characters: envelope.length,
    });
  try {
    return protectedHeader.parse(decodeProtectedHeader(envelope));
  } catch (cause) {
    throw new AgentError('ERR_ENVELOPE_INVALID', 'the envelope has no header of a credential', {}, { cause });
  }
}

/**
 * Opens the envelope that answers one call.
 * @throws AgentError ERR_ENVELOPE_MISMATCH when it was made for another key, task, call, agent or topic, or says one lease
 *   outside and another inside; ERR_ENVELOPE_INVALID when it does not open or holds no credential.
 */
export async function openEnvelope(
  envelope: string,
  sealKey: SealKeyPair,
  asked: { taskId: string; callId: string; agent: string; topic?: string },
): Promise<OpenedCredential> {
  const header = envelopeHeader(envelope);
  const wanted = {
    taskId: asked.taskId,
    callId: asked.callId,
    agent: asked.agent,
    topic: asked.topic ?? DELIVERY,
    kid: sealKey.thumbprint,
  };
  for (const member of ['taskId', 'callId', 'agent', 'topic', 'kid'] as const) {
    if (header[member] !== wanted[member])
      throw new AgentError('ERR_ENVELOPE_MISMATCH', 'the envelope was made for another call', { member });
  }
  const credential = parse(await decrypt(envelope, sealKey));
  if (credential.leaseId !== header.leaseId)
    throw new AgentError('ERR_ENVELOPE_MISMATCH', 'the envelope names two leases', { member: 'leaseId' });
  return withSecret(credential);
}

function withSecret(credential: Plaintext): OpenedCredential {
  switch (credential.kind) {
    case 'jwt':
      return { ...credential, token: new Secret(credential.token) };
    case 'postgres':
      return { ...credential, connection: hidden(credential.connection) };
    case 'redis':
      return { ...credential, connection: hidden(credential.connection) };
    case 'kafka':
      return { ...credential, connection: hidden(credential.connection) };
    default:
      return unreachable(credential);
  }
}

const hidden = <C extends { password: string }>({ password, ...rest }: C) => ({
  ...rest,
  password: new Secret(password),
});

async function decrypt(envelope: string, sealKey: SealKeyPair): Promise<Uint8Array> {
  try {
    const opened = await compactDecrypt(envelope, sealKey.privateKey, {
      keyManagementAlgorithms: ['ECDH-ES'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    return opened.plaintext;
  } catch (cause) {
    throw new AgentError('ERR_ENVELOPE_INVALID', 'the envelope does not open', {}, { cause });
  }
}

function parse(bytes: Uint8Array): Plaintext {
  try {
    return plaintext.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch {
    // No cause: a parser's message quotes the text, and the text is the secret.
    throw new AgentError('ERR_ENVELOPE_INVALID', 'the envelope holds no credential');
  }
}
