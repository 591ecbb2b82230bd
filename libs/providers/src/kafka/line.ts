/**
 * One connection to one broker, opened when it is needed and anew once it has ended. What is asked is sent at most once: whoever gets
 * no answer is told so, and asks again or does not. A broker handles the requests of a connection one after the other.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, ResponseError, type SASLOptions } from '@platformatic/kafka';
import { ProviderError } from '../provider.js';
import { asProviderError } from './errors.js';
import { isLoopback, type Address, type KafkaSettings } from './settings.js';

const CLIENT_ID = 'mayfly';
const CONNECT_TIMEOUT_MS = 2_000;
const ANSWER_TIMEOUT_MS = 5_000;

/** A request of the client library, bound to its arguments. */
export type Request<T> = (connection: Connection) => Promise<T>;

export class Line {
  #opened: { connection: Connection; ready: Promise<Connection> } | undefined;

  constructor(
    private readonly address: Address,
    private readonly settings: KafkaSettings,
  ) {}

  /** @throws ProviderError ERR_TARGET_MISCONFIGURED where the login is refused: nothing was sent */
  async open(): Promise<void> {
    await this.#connected();
  }

  /**
   * @returns the answer, whatever it says: its error codes are the caller's to read
   * @throws ProviderError ERR_TARGET_UNREACHABLE: it may have been done, or may be done yet
   */
  async ask<T>(request: Request<T>): Promise<T> {
    const connection = await this.#connected();
    try {
      return await within(ANSWER_TIMEOUT_MS, request(connection));
    } catch (error) {
      if (error instanceof ResponseError) return (error as unknown as { response: T }).response;
      this.#forget(connection);
      throw asProviderError(error);
    }
  }

  /** Whatever waits for an answer is told that there is none. */
  close(): void {
    if (this.#opened !== undefined) this.#forget(this.#opened.connection);
  }

  async #connected(): Promise<Connection> {
    const { host } = this.address;
    // A broker may say that it is anywhere; in clear we go nowhere but to this machine.
    if (this.settings.connection.tls.mode === 'disable' && !isLoopback(host))
      throw new ProviderError('ERR_TARGET_MISCONFIGURED', 'a broker is beyond loopback, and TLS is disabled');
    this.#opened ??= this.#connect();
    const { connection, ready } = this.#opened;
    try {
      return await ready;
    } catch (error) {
      this.#forget(connection);
      throw asProviderError(error);
    }
  }

  #connect(): { connection: Connection; ready: Promise<Connection> } {
    const { host, port } = this.address;
    const { tls } = this.settings.connection;
    const connection = new Connection(CLIENT_ID, {
      connectTimeout: CONNECT_TIMEOUT_MS,
      sasl: saslOf(this.settings),
      ...(tls.mode === 'disable' ? {} : { tls: tls.ca === undefined ? {} : { ca: tls.ca } }),
    });
    connection.on('error', () => undefined);
    connection.on('close', () => this.#forget(connection));
    const connected = Promise.resolve(connection.connect(host, port));
    return { connection, ready: within(CONNECT_TIMEOUT_MS * 2, connected).then(() => connection) };
  }

  #forget(connection: Connection): void {
    connection.socket.destroy();
    if (this.#opened?.connection === connection) this.#opened = undefined;
  }
}

function saslOf({ login }: KafkaSettings): SASLOptions {
  const { mechanism, user: username, password } = login;
  return {
    mechanism: mechanism.toUpperCase() as SASLOptions['mechanism'],
    username,
    password: password.reveal(),
  };
}

async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  const answered = new AbortController();
  const late = sleep(ms, undefined, { signal: answered.signal }).then(
    () => Promise.reject(new ProviderError('ERR_TARGET_UNREACHABLE', 'target does not answer')),
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    answered.abort();
  }
}
