/**
 * Our account at a target, as one process knows it. Its password may be in a file, and another by now: it is read at each login, and where the
 * file holds two, because the password is being changed, the one that lets us in is found by trying.
 */
import pg from 'pg';
import { readPasswords } from './password-file.js';
import type { PostgresSettings } from './settings.js';

/** Old, new, and each once more: it may be changed between two tries. */
const TRIES = 4;

/** A password to try. */
export interface GivenPassword {
  password: string;
  /** The server did not take it. Several logins may be under way at once: only each itself knows what it was given, and when. */
  refuse: () => void;
}

export class TargetLogin {
  /** Passwords that were refused, each as of what the file held when it was given: one that is new is refused until the server has it. */
  readonly #refused = new Set<string>();

  constructor(private readonly login: PostgresSettings['login']) {}

  /** The one to try next, for `LoginClient`. @throws PasswordFileError */
  async next(): Promise<GivenPassword> {
    const known = await this.#known();
    if (known.every((each) => this.#refused.has(keyOf(each, known)))) this.#refused.clear();
    const password = known.find((each) => !this.#refused.has(keyOf(each, known))) ?? known[0];
    return { password, refuse: () => this.#refused.add(keyOf(password, known)) };
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
    return known.length > 1 || !this.#refused.has(keyOf(known[0], known));
  }

  async #known(): Promise<[string, ...string[]]> {
    const { password, passwordFile } = this.login;
    if (passwordFile === undefined) return [password.reveal()];
    const [first, ...more] = await readPasswords(passwordFile);
    return [first.reveal(), ...more.map((each) => each.reveal())];
  }
}

/** Passwords are lines of a file. */
const keyOf = (password: string, known: readonly string[]): string => [password, ...known].join('\n');

/** 28P01, invalid_password. */
export const isPasswordRefused = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && error.code === '28P01';
