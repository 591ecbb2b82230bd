/**
 * Proves that the wire promises are enough: a client in another language, on another Kafka library and another JOSE library,
 * that shares no code with Mayfly, takes one task from declaration to the refused login, and tokens from their envelopes to the
 * status list and the security events that say they are dead.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pythonEnvironment } from './interop/python-environment.js';
import { freePort, sampleWithOutlets } from './support/sample-with-outlets.js';
import { startStack } from './support/stack.mjs';
import type { TestStack } from './support/stack.mjs';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const interop = join(import.meta.dirname, 'interop');
const environment = await pythonEnvironment(join(interop, 'requirements.txt'), join(root, '.mayfly'));

const TASK = 'a client in Python runs one task: start, call, open the envelope, log in, end, refused';
const TOKEN =
  'a client in Python opens tokens and verifies them, and hears of their ends: introspection, status list, events pushed and polled';

interface Step {
  step: string;
  orders?: number;
  code?: string;
  cause?: string;
  reason?: string;
}

if ('missing' in environment) {
  it.skip.each([TASK, TOKEN])(`%s (${environment.missing})`, () => undefined);
} else {
  const { python } = environment;
  describe('interoperability', () => {
    let stack: TestStack;
    let folder: string;
    let settings: object;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'mayfly-interop-'));
      const pushed = { audience: 'https://siem.example', authorization: 'Bearer of-the-siem' };
      const polled = { audience: 'https://warehouse.example', poller: 'spiffe://dev.mayfly/tool/warehouse' };
      const port = await freePort();
      const env = await sampleWithOutlets(join(folder, 'sample'), [
        { id: 'siem', url: `http://127.0.0.1:${port}/events`, ...pushed },
        { id: 'warehouse', ...polled },
      ]);
      stack = await startStack({ env });
      settings = {
        kafka: stack.addresses.kafka,
        broker: stack.addresses.broker,
        revoker: stack.addresses.revoker,
        audience: 'http://127.0.0.1:7080',
        pushed: { port, ...pushed },
        polled: { id: 'warehouse', ...polled },
        svid: [process.execPath, join(root, 'scripts', 'mayfly.mjs'), 'svid'],
        folder,
      };
    }, 180_000);
    afterAll(async () => {
      await stack?.stop();
      await rm(folder, { recursive: true, force: true });
    }, 60_000);

    async function stepsOf(script: string): Promise<Step[]> {
      const file = join(folder, 'settings.json');
      await writeFile(file, JSON.stringify(settings));
      const { stdout } = await run(python, [join(interop, script), file], {
        env: { ...process.env, MAYFLY_STATE_DIR: stack.stateDir, PYTHONDONTWRITEBYTECODE: '1' },
        timeout: 240_000,
      });
      return stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Step);
    }

    it(
      TASK,
      async () => {
        const steps = await stepsOf('client.py');

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
      300_000,
    );

    it(
      TOKEN,
      async () => {
        const steps = await stepsOf('tokens.py');

        expect(steps.map(({ step }) => step)).toEqual([
          'declared',
          'issued',
          'tokens verified',
          'listed as valid',
          'introspected',
          'one given back',
          'listed as invalid',
          'event pushed',
          'event polled',
          'ended',
          'listed as invalid',
          'event pushed',
          'event polled',
        ]);
        const reasons = steps.filter(({ step }) => step.startsWith('event')).map(({ reason }) => reason);
        expect(reasons).toEqual(['returned', 'returned', 'task_ended', 'task_ended']);
      },
      300_000,
    );
  });
}
