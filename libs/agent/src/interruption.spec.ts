/** On a process of its own, because it is the process that is told to stop. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { FakeBroker, ORCHESTRATOR } from '../test/fake-broker.js';
import { serve, type FakeHttpBroker } from '../test/fake-http-broker.js';

const hooks = join(import.meta.dirname, '../../bus/test/typescript-hooks.mjs');
const worker = join(import.meta.dirname, '../test/interrupted-worker.mjs');

describe('a process that is told to stop', () => {
  let broker: FakeBroker;
  let http: FakeHttpBroker;
  let child: ChildProcess | undefined;
  beforeEach(async () => {
    broker = await FakeBroker.open();
    http = await serve(broker);
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await http.close();
    await broker.close();
  });

  async function work(...more: string[]) {
    const { NODE_OPTIONS: _jest, ...env } = process.env;
    const args = [
      '--conditions=source',
      '--import',
      hooks,
      worker,
      http.url,
      broker.stateDir,
      ORCHESTRATOR,
      ...more,
    ];
    const started = spawn(process.execPath, args, {
      env: { ...env, MAYFLY_ENV: 'development' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child = started;
    let said = '';
    started.stdout.on('data', (chunk) => (said += String(chunk)));
    const exited = once(started, 'exit') as Promise<[number | null, string | null]>;
    while (!said.includes('at work')) {
      if (started.exitCode !== null) throw new Error(`it ended: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return { started, exited, said: () => said };
  }

  const ends = () => broker.heardOf('task.ended').map(({ event }) => event.data);

  it.each(['SIGTERM', 'SIGINT'] as const)('ends its task, and dies of %s all the same', async (signal) => {
    const { started, exited } = await work();
    started.kill(signal);
    expect(await exited).toEqual([null, signal]);
    expect(ends()).toEqual([expect.objectContaining({ outcome: 'cancelled', reason: signal })]);
  });

  it('leaves its end to others who listen', async () => {
    const { started, exited, said } = await work('listens');
    started.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(said()).toContain('told');
    expect(said()).toContain('ERR_INTERRUPTED');
    expect(ends()).toHaveLength(1);
  });

  it('does not wait for ever for a broker that does not answer', async () => {
    const { started, exited } = await work();
    await http.close();
    started.kill('SIGTERM');
    expect(await exited).toEqual([null, 'SIGTERM']);
  });
});
