/** A process of its own that does one thing with an adapter, and is killed with SIGKILL on the way. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plan } from '../provider.js';
import type { Verb } from './doomed-main.contract.js';

const root = join(import.meta.dirname, '../../../..');
const MAIN = join(import.meta.dirname, 'doomed-main.contract.ts');
const TYPESCRIPT = pathToFileURL(join(root, 'test/support/typescript.mjs')).href;

export class DoomedProcess {
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#gone = once(child, 'exit');
  }

  /** Resolves once its adapter has looked at the lease that it will do something with. Settings go through a pipe, so that no password is on a command line. */
  static async start(settings: unknown, plan: Plan): Promise<DoomedProcess> {
    const child = fork(MAIN, [], {
      cwd: root,
      execArgv: ['--conditions=source', '--no-warnings', `--import=${TYPESCRIPT}`],
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const started = new DoomedProcess(child);
    child.send({ settings, plan });
    await Promise.race([
      once(child, 'message'),
      started.#gone.then(() => Promise.reject(new Error('the process ended before it was ready'))),
    ]);
    return started;
  }

  /** @returns whether it came to an end with it; false where it was killed before */
  async does(verb: Verb): Promise<boolean> {
    const finished = once(this.#child, 'message').then(() => true);
    this.#child.send({ verb });
    const isFinished = await Promise.race([finished, this.#gone.then(() => false)]);
    this.kill();
    await this.#gone;
    return isFinished;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
