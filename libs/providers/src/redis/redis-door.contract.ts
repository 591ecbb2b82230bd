/** A door between an adapter and one node, for integration specs: what passes is kept, requests can be held, answers swallowed. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Place } from './connection.js';

export class RedisDoor {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #said: Buffer[] = [];
  #word: string | undefined;
  #held: (() => void)[] = [];
  #swallows = false;
  #onHeld = () => {};

  private constructor(to: Place) {
    this.#server = createServer((client) => this.#pass(client, connect(to)));
  }

  static async before(to: Place): Promise<RedisDoor> {
    const door = new RedisDoor(to);
    await new Promise<void>((resolve) => door.#server.listen(0, '127.0.0.1', resolve));
    return door;
  }

  get place(): Place {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  /** All that clients have said, in the protocol's form. */
  get said(): string {
    return Buffer.concat(this.#said).toString('latin1');
  }

  /** A request with this word waits here from now on, and what comes behind it. @returns resolves once one does */
  hold(word: string): Promise<void> {
    this.#word = word;
    return new Promise((resolve) => {
      this.#onHeld = resolve;
    });
  }

  release(): void {
    this.#word = undefined;
    for (const pass of this.#held.splice(0)) pass();
  }

  /** From now on answers go nowhere. */
  swallow(): void {
    this.#swallows = true;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(client: Socket, node: Socket): void {
    for (const socket of [client, node]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
    }
    let isHeld = false;
    client.on('data', (bytes) => {
      this.#said.push(bytes);
      isHeld = this.#word !== undefined && (isHeld || bytes.includes(this.#word));
      if (!isHeld) return void node.write(bytes);
      this.#held.push(() => node.write(bytes));
      this.#onHeld();
    });
    node.on('data', (bytes) => {
      if (!this.#swallows) client.write(bytes);
    });
    // A client that has gone takes back nothing of what it said: that may be under way for as long as it likes.
    client.on('close', () => isHeld || node.end());
    node.on('close', () => client.destroy());
  }
}
