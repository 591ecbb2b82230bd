/** A pool whose account's password may change while it is open. Connections that are open stay so: the server asks for it at the login only. */
import pg from 'pg';
import { loginClient } from './login-client.js';
import type { TargetLogin } from './target-login.js';

type Callback = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: unknown) => void,
) => void;

export class LoginPool extends pg.Pool {
  readonly #login: TargetLogin;

  constructor(config: pg.PoolConfig, login: TargetLogin) {
    super({ ...config, Client: loginClient(login) });
    this.#login = login;
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Callback): void;
  /** The driver's own `query` comes here with a callback. */
  override connect(callback?: Callback): Promise<pg.PoolClient> | undefined {
    const connected = this.#login.enter(() => super.connect());
    if (callback === undefined) return connected;
    connected.then(
      (client) => callback(undefined, client, () => client.release()),
      (error: Error) => callback(error, undefined, () => undefined),
    );
    return undefined;
  }
}
