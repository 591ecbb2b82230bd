/** The start chain without Java where a Docker engine answers: Kafka runs in a container. Elsewhere it is skipped, and says so. */
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { newStateDir, noted, removeStateDir, startCommand } from './support/start-command.mjs';

const root = join(import.meta.dirname, '..');
const withoutJava = {
  JAVA_HOME: join('nowhere', 'java'),
  MAYFLY_SAMPLE: '',
  MAYFLY_BUS: '',
  MAYFLY_DOCKER: '',
};

/** Asked in a process of its own: testcontainers keeps sockets open. */
function engineAnswers(): boolean {
  const ask = `
    const { findEngine } = await import('./scripts/servers/docker.mjs');
    process.exit((await findEngine(process.env)) === null ? 1 : 0);`;
  try {
    execFileSync(process.execPath, ['--input-type=module', '-e', ask], { cwd: root, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const answers = engineAnswers();
const docker = answers ? it : it.skip;
const why = answers ? '' : ' (no Docker engine answers on this machine)';

describe('npm start without Java, on Docker', () => {
  let stateDir: string;
  beforeAll(async () => {
    stateDir = await newStateDir();
  });
  afterAll(async () => {
    if (answers) reset(stateDir);
    await removeStateDir(stateDir);
  });

  docker(
    `runs the sample task on a Kafka in a container, and again on the records that it has kept${why}`,
    async () => {
      for (let start = 1; start <= 2; start += 1) {
        const command = await startCommand(stateDir, withoutJava);
        await command.printed('sample task passed');

        expect(command.output()).toMatch(/^kafka +in a container, apache\/kafka:/m);
        expect(command.output()).toMatch(/^kafka +127\.0\.0\.1:\d+$/m);
        expect(noted(stateDir).map(({ name }) => name)).not.toContain('kafka');
        command.kill('SIGTERM');
        expect(await command.exited).toEqual({ code: 0, signal: null });
      }
    },
    600_000,
  );

  docker(
    `says that the state is of a Kafka in Docker where no engine answers any more${why}`,
    async () => {
      const command = await startCommand(stateDir, { ...withoutJava, MAYFLY_DOCKER: '0' });

      expect(await command.exited).toEqual({ code: 2, signal: null });
      expect(command.output()).toContain('a Kafka in Docker, and no Docker engine answers');
    },
    60_000,
  );
});

/** Removes the volume as well. */
function reset(stateDir: string): void {
  execFileSync(process.execPath, [join(root, 'scripts', 'reset.mjs')], {
    env: { ...process.env, MAYFLY_STATE_DIR: stateDir },
    stdio: 'ignore',
  });
}
