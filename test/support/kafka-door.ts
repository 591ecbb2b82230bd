/**
 * A way to Kafka for one client alone, which can be shut. Kafka tells every client one address, and whoever asks it through the
 * door would be sent past it: so the address is replaced in what it answers. Both are of one length, and of its answers only those
 * to questions of where it is have it: an IPv4 address in text and the port behind it in four bytes.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const HOST = '127.0.0.1';
const LISTEN_TRIES = 50;
const LISTEN_AGAIN_MS = 100;

/** `refuses`: connections end, and new ones are refused. `hangs`: they stay, and nothing comes through any more. */
export type Shut = 'refuses' | 'hangs';

export class KafkaDoor {
  readonly #server: Server;
  readonly #behind: { host: string; port: number };
  readonly #sockets = new Set<Socket>();
  #port = 0;
  #shut: Shut | undefined;
  /** Resolves when what hangs goes on. */
  #goesOn = Promise.resolve();
  #goOn = () => undefined as void;

  private constructor(address: string) {
    const { hostname, port } = new URL(`kafka://${address}`);
    this.#behind = { host: hostname, port: Number(port) };
    this.#server = createServer((client) => this.#enter(client));
  }

  /** @param address `127.0.0.1:port` of the one Kafka */
  static async open(address: string): Promise<KafkaDoor> {
    const door = new KafkaDoor(address);
    await door.#listen();
    return door;
  }

  get address(): string {
    return `${HOST}:${this.#port}`;
  }

  async shut(how: Shut): Promise<void> {
    this.#shut = how;
    if (how === 'hangs') {
      this.#goesOn = new Promise((resolve) => (this.#goOn = resolve));
      return;
    }
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async reopen(): Promise<void> {
    const was = this.#shut;
    this.#shut = undefined;
    if (was === 'refuses') await this.#listen();
    else this.#goOn();
  }

  async close(): Promise<void> {
    this.#goOn();
    if (this.#server.listening) await this.shut('refuses');
  }

  /** Somebody else may have the port for a moment: each connection of anybody takes one. */
  async #listen(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      this.#server.listen(this.#port, HOST);
      try {
        await once(this.#server, 'listening');
        this.#port = (this.#server.address() as AddressInfo).port;
        return;
      } catch (error) {
        if (tries === LISTEN_TRIES) throw error;
        await sleep(LISTEN_AGAIN_MS);
      }
    }
  }

  #enter(client: Socket): void {
    const server = connect(this.#behind);
    const cut = () => [client, server].forEach((socket) => void socket.destroy());
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', cut);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        cut();
      });
    }
    void this.#pass(client, server).catch(cut);
    void this.#pass(this.#answers(server), client).catch(cut);
  }

  async #pass(from: AsyncIterable<Buffer>, to: Socket): Promise<void> {
    for await (const piece of from) {
      await this.#goesOn;
      to.write(piece);
    }
    to.end();
  }

  /** Whole ones, so that an address is never in two pieces: each has its length in front (Kafka protocol, "Protocol Primitives"). */
  async *#answers(server: Socket): AsyncGenerator<Buffer> {
    let left = Buffer.alloc(0);
    for await (const piece of server as AsyncIterable<Buffer>) {
      left = Buffer.concat([left, piece]);
      while (left.length >= 4 && left.length >= 4 + left.readInt32BE()) {
        const end = 4 + left.readInt32BE();
        yield this.#withOurAddress(left.subarray(0, end));
        left = left.subarray(end);
      }
    }
  }

  #withOurAddress(answer: Buffer): Buffer {
    const theirs = addressBytes(this.#behind.port);
    const ours = addressBytes(this.#port);
    for (let at = answer.indexOf(theirs); at >= 0; at = answer.indexOf(theirs, at + ours.length))
      ours.copy(answer, at);
    return answer;
  }
}

function addressBytes(port: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(port);
  return Buffer.concat([Buffer.from(HOST), bytes]);
}
