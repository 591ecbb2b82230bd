/**
 * Our account at a target, as one process knows it. Its password may be in a file, and another by now: it is read at each login, and where the
 * file holds two, because the password is being changed, the one that lets us in is found by trying.
 */
import pg from 'pg';
import { readPasswords } from './password-file.js';
import type { PostgresSettings } from './settings.js';

/** Old, new, and each once more: it may be changed between two tries. */
const TRIES = 4;

export class TargetLogin {
  /** Passwords that were refused since all of them were. */
  readonly #refused = new Set<string>();

  constructor(private readonly login: PostgresSettings['login']) {}

  /** The one to try next, for `LoginClient`. @throws PasswordFileError */
  async password(): Promise<string> {
    const known = await this.#known();
    if (known.every((each) => this.#refused.has(each))) this.#refused.clear();
    return known.find((each) => !this.#refused.has(each)) ?? known[0];
  }

  /** The server did not take `password`. Several logins may be under way at once: only each itself knows what it was given. */
  refused(password: string): void {
    this.#refused.add(password);
  }

  /** Logs in by `attempt`, with a `LoginClient`, and again where another password may be right. @throws what the last attempt throws */
  async enter<T>(attempt: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (!isPasswordRefused(error) || tries === TRIES || !(await this.#hasAnother())) throw error;
      }
    }
  }

  /** Of two in the file, the one that was refused before may be right by now. */
  async #hasAnother(): Promise<boolean> {
    const known = await this.#known();
    return known.length > 1 || !this.#refused.has(known[0]);
  }

  async #known(): Promise<[string, ...string[]]> {
    const { password, passwordFile } = this.login;
    if (passwordFile === undefined) return [password.reveal()];
    const [first, ...more] = await readPasswords(passwordFile);
    return [first.reveal(), ...more.map((each) => each.reveal())];
  }
}

/** 28P01, invalid_password. */
export const isPasswordRefused = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && error.code === '28P01';
