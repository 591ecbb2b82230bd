/**
 * Proves that the wire promises are enough: a client in another language, on another Kafka library and another JOSE library,
 * that shares no code with Mayfly, takes one task from declaration to the refused login.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pythonEnvironment } from './interop/python-environment.js';
import { startStack } from './support/stack.mjs';
import type { TestStack } from './support/stack.mjs';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const interop = join(import.meta.dirname, 'interop');
const environment = await pythonEnvironment(join(interop, 'requirements.txt'), join(root, '.mayfly'));

const TASK = 'a client in Python runs one task: start, call, open the envelope, log in, end, refused';

if ('missing' in environment) {
  it.skip(`${TASK} (${environment.missing})`, () => undefined);
} else {
  describe('interoperability', () => {
    let stack: TestStack;
    let folder: string;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'mayfly-interop-'));
      stack = await startStack();
    }, 180_000);
    afterAll(async () => {
      await stack?.stop();
      await rm(folder, { recursive: true, force: true });
    }, 60_000);

    it(
      TASK,
      async () => {
        const settings = join(folder, 'settings.json');
        await writeFile(
          settings,
          JSON.stringify({
            kafka: stack.addresses.kafka,
            broker: stack.addresses.broker,
            svid: [process.execPath, join(root, 'scripts', 'mayfly.mjs'), 'svid'],
            folder,
          }),
        );
        const { stdout } = await run(environment.python, [join(interop, 'client.py'), settings], {
          env: { ...process.env, MAYFLY_STATE_DIR: stack.stateDir, PYTHONDONTWRITEBYTECODE: '1' },
          timeout: 90_000,
        });
        const steps = stdout
          .trim()
          .split('\n')
          .map(
            (line) => JSON.parse(line) as { step: string; orders?: number; code?: string; cause?: string },
          );
        expect(steps.map(({ step }) => step)).toEqual([
          'declared',
          'issued',
          'queried',
          'ended',
          'login refused',
          'told',
          'session ended',
        ]);
        expect(steps.find(({ step }) => step === 'queried')?.orders).toBeGreaterThan(1_000);
        expect(steps.find(({ step }) => step === 'session ended')?.code).toBe('57P01');
        expect(steps.find(({ step }) => step === 'told')?.cause).toBe('task_ended');
      },
      120_000,
    );
  });
}
