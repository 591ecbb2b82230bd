/** The start chain as a user meets it: the real command, real servers, a state folder of its own. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { living, newStateDir, noted, removeStateDir, startCommand } from './support/start-command.mjs';

const PARTS = ['auditor', 'broker', 'kafka', 'postgres', 'revoker', 'signer', 'target'];

describe('npm start', () => {
  let stateDir: string;

  beforeAll(async () => {
    stateDir = await newStateDir();
  });
  afterAll(() => removeStateDir(stateDir));

  it('says that it is ready, where everything is, and leaves no process behind after Ctrl-C', async () => {
    const command = await startCommand(stateDir);
    await command.printed('mayfly ready');
    const processes = noted(stateDir);
    const addresses = readFileSync(join(stateDir, 'run', 'addresses.json'), 'utf8');

    expect(processes.map(({ name }) => name).sort()).toEqual(PARTS);
    expect(JSON.parse(addresses)).toMatchObject({
      broker: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
      kafka: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      postgres: { host: '127.0.0.1', database: 'mayfly' },
      target: { host: '127.0.0.1', database: 'shop' },
      console: null,
    });
    for (const part of PARTS)
      expect(command.output()).toMatch(new RegExp(`^${part} +\\S*127\\.0\\.0\\.1:\\d+$`, 'm'));

    command.kill('SIGINT');
    expect(await command.exited).toEqual({ code: 0, signal: null });
    expect(await living(processes)).toEqual([]);
    expect(existsSync(join(stateDir, 'run', 'addresses.json'))).toBe(false);
  }, 180_000);

  it('works again on the kept state after it was killed, and ends what had been left running', async () => {
    const killed = await startCommand(stateDir);
    await killed.printed('mayfly ready');
    const orphans = noted(stateDir);
    killed.kill('SIGKILL');
    await killed.exited;
    expect(await living(orphans)).not.toEqual([]);

    const command = await startCommand(stateDir);
    await command.printed('mayfly ready');

    expect(command.output()).toContain('ended what an earlier start had left running');
    expect(await living(orphans)).toEqual([]);
    command.kill('SIGTERM');
    expect(await command.exited).toEqual({ code: 0, signal: null });
  }, 180_000);

  it('names the part that died, stops the others and fails', async () => {
    const command = await startCommand(stateDir);
    await command.printed('mayfly ready');
    const processes = noted(stateDir);
    process.kill(processes.find(({ name }) => name === 'revoker')?.pid ?? NaN, 'SIGKILL');

    expect(await command.exited).toEqual({ code: 1, signal: null });
    expect(command.output()).toContain('mayfly: revoker ended unexpectedly (SIGKILL)');
    expect(await living(processes)).toEqual([]);
  }, 180_000);

  it('refuses a second start on the same state', async () => {
    const command = await startCommand(stateDir);
    await command.printed('kafka     starting');
    const second = await startCommand(stateDir);

    expect(await second.exited).toEqual({ code: 2, signal: null });
    expect(command.output()).toMatch(/^mayfly: Mayfly runs already on .*Stop that one.*$/m);
    command.kill('SIGINT');
    expect(await command.exited).toEqual({ code: 0, signal: null });
  }, 180_000);
});

describe('npm start that cannot be', () => {
  let stateDir: string;

  beforeAll(async () => {
    stateDir = await newStateDir();
  });
  afterAll(() => removeStateDir(stateDir));

  it.each([
    ['a bus that there is not', { MAYFLY_BUS: 'memory' }, /MAYFLY_BUS is `memory`/],
    ['production', { MAYFLY_ENV: 'production' }, /MAYFLY_ENV is `production`/],
    ['a port that is none', { MAYFLY_AUDITOR_PORT: '70000' }, /MAYFLY_AUDITOR_PORT is `70000`/],
    ['a Kafka that does not answer', { KAFKA_BROKERS: '127.0.0.1:1' }, /nothing answers at KAFKA_BROKERS/],
    [
      'no Java for the Kafka that is forced',
      { MAYFLY_BUS: 'kafka', JAVA_HOME: join('nowhere', 'java'), MAYFLY_DOCKER: '0' },
      /no Java was found\. Install both/,
    ],
  ])(
    'says so in one line and ends with status 2: %s',
    async (_what, env, line) => {
      const command = await startCommand(stateDir, env);

      expect(await command.exited).toEqual({ code: 2, signal: null });
      const complaints = command
        .output()
        .split('\n')
        .filter((text) => text.startsWith('mayfly: '));
      expect(complaints).toEqual([expect.stringMatching(line)]);
    },
    60_000,
  );

  it('names a port that was set and is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const port = String((server.address() as AddressInfo).port);
    const command = await startCommand(stateDir, { MAYFLY_BROKER_PORT: port });

    expect(await command.exited).toEqual({ code: 2, signal: null });
    expect(command.output()).toBe(
      `mayfly: MAYFLY_BROKER_PORT asks for port ${port}, which is in use. Free the port, or unset MAYFLY_BROKER_PORT to let a free one be chosen.\n`,
    );
    server.close();
  }, 60_000);
});
