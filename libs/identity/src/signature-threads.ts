/**
 * Signatures checked by threads of our own, many to a message. The pool that Node has takes and answers each by itself, and each
 * answer wakes this thread or lets the woken one take its core: with records by the thousand that cost more than it saved (ADR 28).
 */
import type { KeyObject } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Worker, type ResourceLimits } from 'node:worker_threads';

/** What `node:crypto` is told of a signature beside its bytes. */
export interface Way {
  digest: string | null;
  options: { key: KeyObject; dsaEncoding: 'ieee-p1363'; padding?: number; saltLength?: number };
}

interface Check {
  way: Way;
  input: Uint8Array;
  signature: Uint8Array;
  /** `undefined`: no thread could say, so look yourself. */
  answer: (isBy: boolean | undefined) => void;
}

/**
 * What a thread is handed: for each check three numbers of 32 bits (its way's place in `ways`, the lengths of input and signature), then its
 * bytes. It answers with a byte for each: 0 no, 1 yes, 2 OpenSSL threw.
 */
interface Message {
  ways: Way[];
  packed: Uint8Array;
}
const ANSWERS = [false, true];
const THREW = 2;

/** A message goes out with so many, or when the turn of the event loop ends. */
const AT_ONCE = 32;
/** A thread that nobody needs for so long ends: it holds some ten megabytes. */
const IDLE_MS = 10_000;
const HEAP: ResourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 64 };

interface Limits {
  idleMs: number;
  heap: ResourceLimits;
}

export class SignatureThreads {
  readonly #threads: (Thread | undefined)[];
  readonly #limits: Limits;
  #waiting: Check[] = [];
  #isFlushDue = false;

  /** @param count how many there may be. One core is left to who asks. */
  constructor({
    count = Math.max(1, Math.min(4, availableParallelism() - 1)),
    idleMs = IDLE_MS,
    heap = HEAP,
  } = {}) {
    this.#threads = Array.from({ length: count });
    this.#limits = { idleMs, heap };
  }

  /** True if `signature` is of `input`. `undefined` where the thread ended or OpenSSL threw: whoever asks looks itself, and meets the reason. */
  check(way: Way, input: Uint8Array, signature: Uint8Array): Promise<boolean | undefined> {
    return new Promise((answer) => {
      this.#waiting.push({ way, input, signature, answer });
      if (this.#waiting.length === AT_ONCE) return this.#flush();
      if (this.#isFlushDue) return;
      this.#isFlushDue = true;
      setImmediate(() => {
        this.#isFlushDue = false;
        if (this.#waiting.length > 0) this.#flush();
      });
    });
  }

  #flush(): void {
    const checks = this.#waiting;
    this.#waiting = [];
    try {
      this.#leastBusy().take(checks);
    } catch {
      // The system has no thread to give.
      for (const { answer } of checks) answer(undefined);
    }
  }

  #leastBusy(): Thread {
    let least = 0;
    for (const [at, thread] of this.#threads.entries())
      if ((thread?.underWay ?? 0) < (this.#threads[least]?.underWay ?? 0)) least = at;
    return (this.#threads[least] ??= new Thread(this.#limits, (ended) => {
      if (this.#threads[least] === ended) this.#threads[least] = undefined;
    }));
  }
}

/** A thread, and what it has in hand: it answers in the order in which it was asked. */
class Thread {
  readonly #worker: Worker;
  readonly #asked: Check[][] = [];
  #idle: NodeJS.Timeout | undefined;

  constructor(
    private readonly limits: Limits,
    private readonly onEnd: (thread: Thread) => void,
  ) {
    this.#worker = new Worker(`(${answerMessages.toString()})()`, {
      eval: true,
      name: 'signatures',
      execArgv: [],
      env: {},
      resourceLimits: limits.heap,
    });
    this.#worker.on('message', (answers: Uint8Array) => this.#told(answers));
    // `exit` follows it, and is where it matters.
    this.#worker.on('error', () => undefined);
    this.#worker.on('exit', () => this.#ended());
  }

  get underWay(): number {
    return this.#asked.length;
  }

  take(checks: Check[]): void {
    clearTimeout(this.#idle);
    this.#asked.push(checks);
    // The process lives as long as somebody waits, and no longer.
    this.#worker.ref();
    this.#worker.postMessage(messageOf(checks));
  }

  #told(answers: Uint8Array): void {
    const checks = this.#asked.shift() ?? [];
    for (const [at, { answer }] of checks.entries()) answer(ANSWERS[answers[at] ?? THREW]);
    if (this.#asked.length > 0) return;
    this.#worker.unref();
    this.#idle = setTimeout(() => {
      this.#ended();
      void this.#worker.terminate();
    }, this.limits.idleMs).unref();
  }

  #ended(): void {
    clearTimeout(this.#idle);
    this.onEnd(this);
    for (const { answer } of this.#asked.splice(0).flat()) answer(undefined);
  }
}

function messageOf(checks: readonly Check[]): Message {
  const ways: Way[] = [];
  const bytes = checks.reduce((sum, { input, signature }) => sum + 12 + input.length + signature.length, 0);
  const packed = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const { way, input, signature } of checks) {
    let place = ways.indexOf(way);
    if (place === -1) place = ways.push(way) - 1;
    at = packed.writeUInt32LE(place, at);
    at = packed.writeUInt32LE(input.length, at);
    at = packed.writeUInt32LE(signature.length, at);
    packed.set(input, at);
    packed.set(signature, (at += input.length));
    at += signature.length;
  }
  return { ways, packed };
}

/** The thread itself. It is handed over as text, so that it needs no file beside this one; nothing around it can be used in it. */
async function answerMessages(): Promise<void> {
  const { verify } = await import('node:crypto');
  const { parentPort } = await import('node:worker_threads');
  const isBy = (way: Way | undefined, input: Uint8Array, signature: Uint8Array): number => {
    try {
      if (way === undefined) return 2;
      return verify(way.digest, input, way.options, signature) ? 1 : 0;
    } catch {
      return 2;
    }
  };
  parentPort?.on('message', ({ ways, packed }: Message) => {
    const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
    const answers: number[] = [];
    for (let at = 0; at < packed.length;) {
      const input = at + 12;
      const signature = input + view.getUint32(at + 4, true);
      const end = signature + view.getUint32(at + 8, true);
      const way = ways[view.getUint32(at, true)];
      answers.push(isBy(way, packed.subarray(input, signature), packed.subarray(signature, end)));
      at = end;
    }
    parentPort.postMessage(Uint8Array.from(answers));
  });
}
