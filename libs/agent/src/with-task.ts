/**
 * What an orchestrator and an agent write: a task around a piece of work. Whatever way the work ends, the task ends, and with it
 * everything that was lent in it.
 */
import { createHash } from 'node:crypto';
import { v7 as uuidV7 } from 'uuid';
import { taskStarted } from '#events/inbound.js';
import type { TaskStarted } from '#events/inbound.js';
import { AgentError } from './agent-error.js';
import { HttpTransport } from './http-transport.js';
import type { IdentitySource } from './identity-source.js';
import { endOnInterruption } from './interruption.js';
import type { ProofKey } from './proof-key.js';
import { Refused } from './refused.js';
import { Speaker } from './speaker.js';
import { Task } from './task.js';
import type { Transport } from './transport.js';

/** `task.started`, less what can be filled in. */
export type Declaration = Omit<TaskStarted, 'taskId' | 'objectiveSha256' | 'deadline'> & {
  /** UUIDv7; a new one by default. */
  taskId?: string;
  deadline: Date | string;
} & (
    | { /** The full instruction text: only its digest leaves this process. */ objective: string }
    | { objectiveSha256: string }
  );

/** How Mayfly is reached: over HTTPS at the broker, or by a transport that the caller opened and closes. */
export type Reach = { broker: string } | { transport: Transport };

interface Common {
  /** Aborting it ends the task. */
  signal?: AbortSignal;
  /** False: SIGTERM and SIGINT are somebody else's business. */
  endsOnSignals?: boolean;
  /** How long the end may be told again while nobody hears it. Default: 10 s. */
  endWithinMs?: number;
  /** What goes wrong where nothing can be thrown any more. Default: a warning of the process. */
  onTrouble?: (cause: Error) => void;
  /** For `credential.fetch`. */
  fetch?: typeof globalThis.fetch;
}

export type TaskOptions = Reach &
  Common & {
    /** Who declares and ends: an orchestrator, or an agent that starts a child of its task. */
    identity: IdentitySource;
    /** Who calls: an agent named in the declaration. Absent for who only starts and ends. */
    agent?: IdentitySource;
    /** Proof keys to go on with after a restart; by default each (task, identity) has a new one, in memory. */
    keys?: { identity?: ProofKey; agent?: ProofKey };
    /** An OIDC token of the person on whose behalf the task runs. */
    principalToken?: string;
    /** Default: 30 s. */
    startWithinMs?: number;
  };

export type JoinOptions = Reach & Common & { agent: IdentitySource; key?: ProofKey };

const START_WITHIN_MS = 30_000;
const END_WITHIN_MS = 10_000;
/** A process that is told to stop is killed soon. */
const INTERRUPTED_WITHIN_MS = 5_000;

/**
 * Declares a task, works, and ends it: `completed` when `act` resolves, `failed` when it throws, `cancelled` when `signal` is aborted
 * or the process is told to stop. Resolves with what `act` gives, once the end is with Mayfly.
 * @throws what `act` throws; Refused; AgentError. If `act` succeeded and the end cannot be told, that is thrown: credentials live on
 *   until they expire
 */
export async function withTask<T>(
  declaration: Declaration,
  act: (task: Task) => Promise<T>,
  options: TaskOptions,
): Promise<T> {
  const { identity, agent, keys = {}, signal, fetch } = options;
  const transport = transportOf(options);
  signal?.throwIfAborted();
  const owner = new Speaker(identity, keys.identity);
  const caller = agent === identity ? owner : agent && new Speaker(agent, keys.agent);
  const data = complete(declaration);
  const task = new Task({
    taskId: data.taskId,
    transport,
    owner,
    agent: caller,
    ...(fetch === undefined ? {} : { fetch }),
  });
  const release = watch(task, options);
  try {
    await start(task, data, owner, transport, options);
    return await settle(task, act, options);
  } finally {
    release();
  }
}

/**
 * Works on a task that somebody else started, and will end.
 * @throws what `act` throws; Refused; AgentError
 */
export async function joinTask<T>(
  taskId: string,
  act: (task: Task) => Promise<T>,
  options: JoinOptions,
): Promise<T> {
  const { agent, key, signal, fetch } = options;
  signal?.throwIfAborted();
  const task = new Task({
    taskId,
    transport: transportOf(options),
    owner: undefined,
    agent: new Speaker(agent, key),
    ...(fetch === undefined ? {} : { fetch }),
  });
  const leave = () => task.close(signal?.reason as Error);
  signal?.addEventListener('abort', leave, { once: true });
  try {
    return await act(task);
  } finally {
    signal?.removeEventListener('abort', leave);
    task.close(new AgentError('ERR_TASK_OVER', 'the work on the task is over', { taskId }));
  }
}

const transportOf = (reach: Reach): Transport =>
  'transport' in reach ? reach.transport : new HttpTransport({ url: reach.broker });

/** @throws ZodError for what no declaration is */
function complete(declaration: Declaration): TaskStarted {
  const { taskId = uuidV7(), deadline, ...rest } = declaration;
  const { objective, ...known } = { objective: undefined, ...rest };
  return taskStarted.parse({
    ...known,
    ...(objective === undefined ? {} : { objectiveSha256: sha256Hex(objective) }),
    taskId,
    deadline: typeof deadline === 'string' ? deadline : deadline.toISOString(),
  });
}

const sha256Hex = (text: string) => createHash('sha256').update(text).digest('hex');

async function start(
  task: Task,
  data: TaskStarted,
  owner: Speaker,
  transport: Transport,
  {
    principalToken,
    startWithinMs = START_WITHIN_MS,
    endWithinMs = END_WITHIN_MS,
    onTrouble = warn,
  }: TaskOptions,
): Promise<void> {
  // The same event each time: declaring twice is declaring once.
  const id = uuidV7();
  const letter = () =>
    owner.sign({
      type: 'task.started',
      data,
      id,
      ...(principalToken === undefined ? {} : { principalToken }),
    });
  try {
    await transport.tell('task.started', task.id, letter, { withinMs: startWithinMs, signal: task.signal });
  } catch (error) {
    // It may have been accepted all the same. An end that comes before its start counts, too.
    if (!(error instanceof Refused))
      await task
        .end('cancelled', { reason: 'no answer to its start', withinMs: endWithinMs })
        .catch(onTrouble);
    throw error;
  }
}

async function settle<T>(
  task: Task,
  act: (task: Task) => Promise<T>,
  { endWithinMs = END_WITHIN_MS, onTrouble = warn }: Common,
): Promise<T> {
  let result: T;
  try {
    result = await act(task);
  } catch (error) {
    // The work's own error is what its caller must see.
    await task.end('failed', { withinMs: endWithinMs }).catch(onTrouble);
    throw error;
  }
  await task.end('completed', { withinMs: endWithinMs });
  return result;
}

/** Ends the task early where somebody wants it to stop. */
function watch(
  task: Task,
  { signal, endsOnSignals = true, endWithinMs = END_WITHIN_MS, onTrouble = warn }: Common,
): () => void {
  const cancel = (reason: string, withinMs: number) =>
    task.end('cancelled', { reason, withinMs }).catch(onTrouble);
  const onAbort = () => {
    task.close(signal?.reason as Error);
    void cancel('aborted', endWithinMs);
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  const release = endsOnSignals
    ? endOnInterruption((name) => {
        task.close(new AgentError('ERR_INTERRUPTED', 'the process was told to stop', { signal: name }));
        return cancel(name, Math.min(endWithinMs, INTERRUPTED_WITHIN_MS));
      })
    : () => undefined;
  return () => {
    signal?.removeEventListener('abort', onAbort);
    release();
  };
}

const warn = (cause: Error) => process.emitWarning(cause);
