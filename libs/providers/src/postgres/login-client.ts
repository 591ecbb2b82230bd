/** The driver's client, for an account whose password may be changed while others log in: it tells `TargetLogin` what was refused. */
import pg from 'pg';
import { isPasswordRefused, type GivenPassword, type TargetLogin } from './target-login.js';

type Callback = (error: Error) => void;

/** The pool makes its clients itself, of the settings alone: so there is a class for each login. */
export const loginClient = (login: TargetLogin) =>
  class LoginClient extends pg.Client {
    readonly #given: { last?: GivenPassword };

    constructor(config?: pg.ClientConfig) {
      const given: { last?: GivenPassword } = {};
      super({ ...config, password: async () => (given.last = await login.next()).password });
      this.#given = given;
    }

    override connect(): Promise<pg.Client>;
    override connect(callback: Callback): void;
    /** The pool comes with a callback. */
    override connect(callback?: Callback): Promise<pg.Client> | undefined {
      const connected = super.connect().catch((error: unknown) => {
        if (isPasswordRefused(error)) this.#given.last?.refuse();
        throw error;
      });
      if (callback === undefined) return connected;
      connected.then(() => (callback as () => void)(), callback);
      return undefined;
    }
  };
