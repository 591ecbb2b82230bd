/**
 * Stands between an adapter and a target, passes on what they say, and does to it what networks do. A *request* is a piece of what the
 * adapter sends, as it arrives: clients write a request at once, and those of the kit are small.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const HOST = '127.0.0.1';
const NOTHING = Buffer.alloc(0);

/**
 * `request_cut`: half of the request arrives, then the connection ends. `answer_cut`: it arrives, and the connection ends in place of
 * the answer. `answer_cut_in_half`: so, after half of the answer. `answer_swallowed`: it arrives, and nothing ever comes back, though
 * the connection stays.
 */
export type Mishap = 'request_cut' | 'answer_cut' | 'answer_cut_in_half' | 'answer_swallowed';

export interface Held {
  /** Resolves once the request is on the wire. */
  arrived: Promise<void>;
  /** Its sender is gone: the connection ends on that side alone. */
  loseSender(): void;
  /** It reaches the target. Resolves once that has answered. */
  release(): Promise<void>;
}

interface Trap {
  text: string;
  /** How many more it lets through. */
  left: number;
  spring: (request: Buffer, pair: Pair) => Buffer;
}

export class Wire {
  readonly #to: { host: string; port: number };
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #requests: Buffer[] = [];
  #trap: Trap | null = null;
  #delayMs = 0;
  #isDown = false;
  #isMute = false;

  private constructor(to: { host: string; port: number }) {
    this.#to = to;
    this.#server = createServer((client) => this.#onClient(client));
  }

  static async open(to: { host: string; port: number }, listenOn = 0): Promise<Wire> {
    const wire = new Wire(to);
    wire.#server.listen(listenOn, HOST);
    await once(wire.#server, 'listening');
    return wire;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many requests have held this text so far. */
  requests(text: string): number {
    return this.#requests.filter((request) => request.includes(text)).length;
  }

  /** How long each piece takes, in each direction. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** What happens to the next request that holds this text, or to its answer. One trap at a time. */
  trap(text: string, mishap: Mishap): void {
    this.#set(text, 1, (request, pair) => {
      if (mishap !== 'request_cut') {
        pair.answer = (answer) => lost(answer, mishap, pair);
        return request;
      }
      pair.server.write(request.subarray(0, request.length / 2), () => pair.end());
      return NOTHING;
    });
  }

  /** Keeps back the next request that holds this text. */
  hold(text: string): Held {
    let held: { request: Buffer; pair: Pair } | null = null;
    const arrived = new Promise<void>((resolve) =>
      this.#set(text, 1, (request, pair) => {
        held = { request, pair };
        pair.isHeld = true;
        resolve();
        return NOTHING;
      }),
    );
    const now = () => {
      if (held === null) throw new Error('nothing is held');
      return held;
    };
    return {
      arrived,
      loseSender: () => now().pair.client.destroy(),
      release: () => now().pair.release(now().request),
    };
  }

  /** Tells of the nth request from now on, once the target has answered it: the answer does not reach who asked. */
  afterAnswer(nth: number, tell: () => void): void {
    this.#set('', nth, (request, pair) => {
      pair.answer = () => {
        tell();
        return NOTHING;
      };
      return request;
    });
  }

  /** From now on the target hears everything, and nobody hears the target. */
  mute(): void {
    this.#isMute = true;
  }

  /** Ends every connection where it is, and lets nobody in until told otherwise. */
  down(isDown: boolean): void {
    this.#isDown = isDown;
    if (isDown) for (const pair of [...this.#pairs]) pair.end();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.down(true);
    await closed;
  }

  #set(text: string, nth: number, spring: Trap['spring']): void {
    this.#trap = { text, left: nth, spring };
  }

  #onClient(client: Socket): void {
    client.on('error', () => undefined);
    if (this.#isDown) return void client.destroy();
    const server = connect(this.#to.port, this.#to.host);
    const pair = new Pair(client, server, () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
    client.on('data', (request) =>
      this.#later(() => {
        const passed = this.#onRequest(request, pair);
        if (passed.length > 0) pair.server.write(passed);
      }),
    );
    server.on('data', (answer) =>
      this.#later(() => {
        const passed = this.#isMute ? NOTHING : pair.answer(answer);
        if (passed.length > 0) pair.client.write(passed);
      }),
    );
  }

  /** Timers of one length run in the order they were set. */
  #later(pass: () => void): void {
    if (this.#delayMs === 0) pass();
    else setTimeout(pass, this.#delayMs);
  }

  #onRequest(request: Buffer, pair: Pair): Buffer {
    this.#requests.push(request);
    const trap = this.#trap;
    if (trap === null || !request.includes(trap.text)) return request;
    trap.left -= 1;
    if (trap.left > 0) return request;
    this.#trap = null;
    return trap.spring(request, pair);
  }
}

function lost(answer: Buffer, mishap: Mishap, pair: Pair): Buffer {
  if (mishap === 'answer_cut') pair.end();
  if (mishap === 'answer_cut_in_half')
    pair.client.write(answer.subarray(0, answer.length / 2), () => pair.end());
  return NOTHING;
}

/** A client and its server. */
class Pair {
  /** What of an answer is passed on. */
  answer: (answer: Buffer) => Buffer = (answer) => answer;
  /** Something of it is kept back: the server's side stays though the client goes. */
  isHeld = false;

  constructor(
    readonly client: Socket,
    readonly server: Socket,
    private readonly forget: () => void,
  ) {
    server.on('error', () => this.end());
    server.on('close', () => this.end());
    client.on('close', () => {
      if (!this.isHeld) this.end();
    });
    client.setNoDelay(true);
    server.setNoDelay(true);
  }

  async release(request: Buffer): Promise<void> {
    const heard = Promise.race([once(this.server, 'data'), once(this.server, 'close')]);
    this.server.write(request);
    await heard.catch(() => undefined);
    this.isHeld = false;
    if (this.client.destroyed) this.end();
  }

  end(): void {
    this.forget();
    this.client.destroy();
    this.server.destroy();
  }
}
