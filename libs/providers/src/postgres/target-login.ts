/**
 * Our account at a target, as one process knows it. Its password may be in a file, and another by now: it is read at each login, and where the
 * file holds two, because the password is being changed, the one that lets us in is found by trying.
 */
import pg from 'pg';
import type { Secret } from '../secret.js';
import { readPasswords } from './password-file.js';
import type { PostgresSettings } from './settings.js';

/** Old, new, and each once more: it may be changed between two tries. */
const TRIES = 4;

export class TargetLogin {
  /** Passwords that were refused since one was let in or all were. */
  readonly #refused = new Set<string>();
  #given: Secret | undefined;

  constructor(private readonly login: PostgresSettings['login']) {}

  /** For the driver. @throws PasswordFileError */
  async password(): Promise<string> {
    const { password, passwordFile } = this.login;
    if (passwordFile === undefined) return password.reveal();
    const known = await readPasswords(passwordFile);
    if (known.every((each) => this.#refused.has(each.reveal()))) this.#refused.clear();
    this.#given = known.find((each) => !this.#refused.has(each.reveal())) ?? known[0];
    return this.#given.reveal();
  }

  /** Logs in by `attempt`, which asks for the password, and tries again where another one may be right. @throws what the last attempt throws */
  async enter<T>(attempt: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (!isPasswordRefused(error) || tries === TRIES || !(await this.#hasAnother())) throw error;
      }
    }
  }

  /** The password that was given last is wrong. Another login may have been given another meanwhile: then this is one try more. */
  async #hasAnother(): Promise<boolean> {
    const given = this.#given?.reveal();
    if (given === undefined) return false;
    this.#refused.add(given);
    return (await this.password()) !== given;
  }
}

/** 28P01, invalid_password. */
export const isPasswordRefused = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && error.code === '28P01';
