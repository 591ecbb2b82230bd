/** `examples/mini-witness` as a process of its own, that can be killed and started again on what it kept. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..', '..');
const MAIN = join(root, 'examples', 'mini-witness', 'main.ts');
const TYPESCRIPT = pathToFileURL(join(import.meta.dirname, 'typescript.mjs')).href;

export interface WitnessOptions {
  name: string;
  /** Keys of the logs that it watches. */
  logs: readonly string[];
  state: string;
  /** Any, unless it is to be where it was. */
  port?: number;
}

export class WitnessProcess {
  readonly #gone: Promise<unknown>;

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    readonly vkey: string,
  ) {
    this.#gone = once(child, 'exit');
  }

  static async start({ name, logs, state, port = 0 }: WitnessOptions): Promise<WitnessProcess> {
    const args = ['--name', name, ...logs.flatMap((log) => ['--log', log])];
    const child = spawn(
      process.execPath,
      [
        ...['--conditions=source', '--no-warnings', `--import=${TYPESCRIPT}`, MAIN, ...args],
        ...['--state', state, '--port', String(port)],
      ],
      { cwd: root, env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const ready = String((await lines.next()).value);
    const vkey = String((await lines.next()).value);
    const url = /^mini-witness ready at (\S+)$/.exec(ready)?.[1];
    if (url === undefined) throw new Error('the witness did not start');
    return new WitnessProcess(child, url, vkey);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** @param signal SIGKILL, as an accident would, unless told */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.child.kill(signal);
    await this.#gone;
  }
}
