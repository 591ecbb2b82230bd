/**
 * A task at work, on an agent's side: calls for credentials while it lasts, ends once. Each call has a seal key of its own, in memory
 * only, kept until the call is answered: asked again with its `callId`, a call is the same call and gets the same answer.
 */
import { createHash } from 'node:crypto';
import { v7 as uuidV7 } from 'uuid';
import { anySignal } from '#events/any-signal.js';
import type { TaskAmended, TaskEnded, ToolCalled } from '#events/inbound.js';
import { canonical } from '#events/jcs.js';
import { unreachable } from '#events/unreachable.js';
import { AgentError } from './agent-error.js';
import { databaseCredential } from './database-credential.js';
import type { DatabaseCredential } from './database-credential.js';
import { kafkaCredential, type KafkaCredential } from './kafka-credential.js';
import { openEnvelope } from './open-envelope.js';
import type { OpenedCredential } from './open-envelope.js';
import { renewal } from './renewal.js';
import type { PendingCall } from './answer-book.js';
import { redisCredential, type RedisCredential } from './redis-credential.js';
import { Refused } from './refused.js';
import { generateSealKey } from './seal-key.js';
import type { SealKeyPair } from './seal-key.js';
import type { Speaker } from './speaker.js';
import { TokenCredential } from './token-credential.js';
import type { Transport } from './transport.js';

export type Credential = DatabaseCredential | TokenCredential | RedisCredential | KafkaCredential;
export type CredentialKind = Credential['kind'];
export type CredentialOf<K extends CredentialKind> = Extract<Credential, { kind: K }>;

export interface CredentialRequest<K extends CredentialKind = CredentialKind> {
  tool: string;
  dataset?: string;
  action: string;
  /** What is wanted; anything else is refused. Absent: what the target gives. */
  kind?: K;
  ttlMs?: number;
  /** What the tool will be called with, as JSON values: the credential is then good for these alone, where its kind can be so bound. */
  arguments?: unknown;
  model?: ToolCalled['model'];
  /** UUIDv7 of a call made before, whose answer was lost or waits for an approval; all else MUST be as it was. */
  callId?: string;
  /** Default: 30 s. */
  withinMs?: number;
  signal?: AbortSignal;
}

/** What is to be different: what is left out stays as it is. */
export type Amendment = Omit<TaskAmended, 'taskId' | 'deadline'> & {
  deadline?: Date | string;
  /** Default: 30 s. */
  withinMs?: number;
};

export interface TaskParts {
  taskId: string;
  transport: Transport;
  /** Who declared the task; undefined for who only joined it. */
  owner: Speaker | undefined;
  agent: Speaker | undefined;
  fetch?: typeof globalThis.fetch;
}

const WITHIN_MS = 30_000;

/** What a credential is asked for with once more. */
type Sealed = { call: PendingCall; sealKey: SealKeyPair };

export class Task {
  readonly #parts: TaskParts;
  readonly #over = new AbortController();
  /** Seal keys of calls that have no answer yet, by call id. */
  readonly #unanswered = new Map<string, SealKeyPair>();
  #ended: Promise<void> | undefined;

  constructor(parts: TaskParts) {
    this.#parts = parts;
  }

  get id(): string {
    return this.#parts.taskId;
  }

  /** Aborted when the task is over for this process: hand it to what takes long. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /**
   * One tool call: may this agent do this, and with what?
   * @throws Refused with code and reasons; AgentError ERR_AGENT_IDENTITY_MISSING, ERR_TASK_OVER, ERR_APPROVAL_PENDING,
   *   ERR_ANSWER_TIMEOUT (ask again with the `callId` in its fields), and what goes wrong with identity, envelope and connection
   */
  async credential<K extends CredentialKind = CredentialKind>(
    request: CredentialRequest<K>,
  ): Promise<CredentialOf<K>> {
    const { agent, taskId, transport } = this.#parts;
    if (agent === undefined)
      throw new AgentError('ERR_AGENT_IDENTITY_MISSING', 'no identity was given that calls: option `agent`');
    const callId = request.callId ?? uuidV7();
    const sealKey = this.#unanswered.get(callId) ?? generateSealKey();
    this.#unanswered.set(callId, sealKey);

    const data = callOf(request, { taskId, callId, sealTo: sealKey.publicJwk });
    const asked = { taskId, callId, agent: await agent.id() };
    const signal = request.signal === undefined ? this.signal : anySignal(this.signal, request.signal);
    const envelope = await transport
      .ask({ ...asked, sealKid: sealKey.thumbprint }, () => agent.sign({ type: 'tool.called', data }), {
        withinMs: request.withinMs ?? WITHIN_MS,
        signal,
      })
      .catch((error: unknown) => {
        if (error instanceof Refused) this.#unanswered.delete(callId);
        throw withCallId(error, callId);
      });
    const opened = await openEnvelope(envelope, sealKey, asked);
    this.#unanswered.delete(callId);
    return this.#inUse(opened, agent, request.kind, {
      call: { ...asked, sealKid: sealKey.thumbprint },
      sealKey,
    });
  }

  /**
   * Changes what the task may do, or until when, or has an agent go on with another key. It is decided like a start, and everything
   * lent in the task before dies with it. Only for who declared the task.
   * @throws Refused with all that is wrong, and then nothing has changed; AgentError ERR_AGENT_IDENTITY_MISSING, ERR_TASK_OVER,
   *   ERR_ANSWER_TIMEOUT when it is not known what became of it
   */
  async amend({ deadline, withinMs = WITHIN_MS, ...change }: Amendment): Promise<void> {
    const { owner, taskId, transport } = this.#parts;
    if (owner === undefined)
      throw new AgentError('ERR_AGENT_IDENTITY_MISSING', 'only who declared the task may amend it');
    const id = uuidV7();
    const data: TaskAmended = {
      ...change,
      ...(deadline === undefined
        ? {}
        : { deadline: typeof deadline === 'string' ? deadline : deadline.toISOString() }),
      taskId,
    };
    // The same event each time: amending twice is amending once.
    const letter = () => owner.sign({ type: 'task.amended', data, id });
    await transport.tell('task.amended', taskId, letter, { withinMs, signal: this.signal });
  }

  /**
   * Ends the task, once: everything lent in it dies. Whoever only joined it MUST be allowed to by the declaration (`agentsMayEnd`).
   * @throws Refused; AgentError ERR_ANSWER_TIMEOUT when it is not known whether Mayfly heard it
   */
  end(
    outcome: TaskEnded['outcome'] = 'completed',
    how: { reason?: string; withinMs?: number } = {},
  ): Promise<void> {
    this.close(new AgentError('ERR_TASK_OVER', 'the task is over', { taskId: this.id }));
    this.#ended ??= this.#end(outcome, how);
    return this.#ended;
  }

  /** Stops working on the task, and ends nothing. */
  close(reason: Error): void {
    this.#over.abort(reason);
    this.#unanswered.clear();
  }

  async #end(
    outcome: TaskEnded['outcome'],
    { reason, withinMs = WITHIN_MS }: { reason?: string; withinMs?: number },
  ) {
    const { owner, agent, taskId, transport } = this.#parts;
    const speaker = owner ?? agent;
    if (speaker === undefined)
      throw new AgentError('ERR_AGENT_IDENTITY_MISSING', 'no identity was given that ends the task');
    const id = uuidV7();
    const data: TaskEnded = { taskId, outcome, ...(reason === undefined ? {} : { reason }) };
    await transport
      .tell('task.ended', taskId, () => speaker.sign({ type: 'task.ended', data, id }), { withinMs })
      .catch((error: unknown) => {
        // By its deadline, by an operator, or by an attempt whose answer was lost: it is over.
        if (!(error instanceof Refused && error.code === 'ERR_TASK_ENDED')) throw error;
      });
  }

  #inUse<K extends CredentialKind>(
    opened: OpenedCredential,
    agent: Speaker,
    wanted: K | undefined,
    sealed: Sealed,
  ): CredentialOf<K> {
    if (wanted !== undefined && opened.kind !== wanted)
      throw new AgentError('ERR_CREDENTIAL_KIND', 'a credential of another kind came', { kind: opened.kind });
    const { fetch, transport } = this.#parts;
    const { signal } = this;
    const { ofEnd, ofToken } = renewal({ ...sealed, leaseId: opened.leaseId, agent, transport, signal });
    switch (opened.kind) {
      case 'postgres':
        return databaseCredential(opened, ofEnd) as CredentialOf<K>;
      case 'kafka':
        return kafkaCredential(opened, ofEnd) as CredentialOf<K>;
      case 'redis':
        return redisCredential(opened, ofEnd) as CredentialOf<K>;
      case 'jwt':
        return new TokenCredential({
          opened,
          key: agent.key,
          signal,
          renew: ofToken,
          ...(fetch === undefined ? {} : { fetch }),
        }) as CredentialOf<K>;
      default:
        return unreachable(opened);
    }
  }
}

function callOf(
  { tool, dataset, action, kind, ttlMs, arguments: given, model }: CredentialRequest,
  own: Pick<ToolCalled, 'taskId' | 'callId' | 'sealTo'>,
): ToolCalled {
  return {
    ...own,
    tool,
    ...(dataset === undefined ? {} : { dataset }),
    action,
    ...(kind === undefined ? {} : { credential: kind }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(given === undefined ? {} : { argumentsSha256: sha256Hex(canonical(given)) }),
    ...(model === undefined ? {} : { model }),
  };
}

const sha256Hex = (text: string) => createHash('sha256').update(text).digest('hex');

/** So that the caller can ask again. */
function withCallId(error: unknown, callId: string): unknown {
  if (!(error instanceof AgentError) || error.code !== 'ERR_ANSWER_TIMEOUT') return error;
  return new AgentError(error.code, error.message, { ...error.fields, callId }, { cause: error.cause });
}
