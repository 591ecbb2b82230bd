/** A process of its own that sends one message to the target and is killed before the answer comes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import type { PostgresSettings } from './settings.js';

/** Reads its orders from stdin, so that no password is on a command line. */
const SENDER = `
import { text } from 'node:stream/consumers';
const { driver, config, message } = JSON.parse(await text(process.stdin));
const { default: pg } = await import(driver);
const client = new pg.Client(config);
await client.connect();
await client.query(message);
`;

export class KilledSender {
  readonly #child: ChildProcess;
  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static send({ connection, login }: PostgresSettings, message: string): KilledSender {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', SENDER], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    const { host, port, database } = connection;
    const config = {
      host,
      port,
      database,
      user: login.user,
      password: login.password.reveal(),
      ssl: false,
    };
    const driver = pathToFileURL(join(import.meta.dirname, '../../../../node_modules/pg/esm/index.mjs')).href;
    child.stdin?.end(JSON.stringify({ driver, config, message }));
    return new KilledSender(child);
  }

  async kill(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
