/** The start chain on Node alone: the bus is in PostgreSQL, and everything else is as on Kafka. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import {
  living,
  newStateDir,
  noted,
  removeStateDir,
  startCommand,
  type StartCommand,
} from './support/start-command.mjs';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

describe('npm start without Java, Maven and Docker', () => {
  let stateDir: string;
  let path: string;
  let command: StartCommand;

  beforeAll(async () => {
    stateDir = await newStateDir();
    path = join(stateDir, 'path');
    mkdirSync(path);
    symlinkSync(process.execPath, join(path, 'node'));
    command = await startCommand(stateDir, {
      PATH: path,
      JAVA_HOME: '',
      MAYFLY_BUS: 'postgres',
      MAYFLY_SAMPLE: '',
    });
  });
  afterAll(() => removeStateDir(stateDir));

  it('runs the sample task, and says loudly what this bus is not', async () => {
    await command.printed('sample task passed');

    expect(command.output()).toMatch(/^bus +in PostgreSQL: Kafka clients CANNOT connect/m);
    expect(command.output()).toMatch(
      /^bus +for a Kafka: install Java 17 and Maven, or start Docker, or set KAFKA_BROKERS/m,
    );
    expect(
      noted(stateDir)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['auditor', 'broker', 'postgres', 'revoker', 'signer', 'target']);
    const addresses = JSON.parse(readFileSync(join(stateDir, 'run', 'addresses.json'), 'utf8')) as object;
    expect(addresses).toMatchObject({ kafka: null, postgres: { host: '127.0.0.1' } });
  }, 180_000);

  it('is well in the eyes of doctor, which warns of the bus', async () => {
    const { stdout } = await run(
      process.execPath,
      [join(root, 'scripts', 'mayfly.mjs'), 'doctor', '--json'],
      {
        env: { PATH: path, MAYFLY_STATE_DIR: stateDir, MAYFLY_ENV: 'development' },
      },
    );

    const { ok, findings } = JSON.parse(stdout) as {
      ok: boolean;
      findings: { what: string; status: string }[];
    };
    expect(ok).toBe(true);
    expect(findings).toContainEqual(expect.objectContaining({ what: 'bus', status: 'warn' }));
    expect(findings).toContainEqual(expect.objectContaining({ what: 'topics', status: 'ok' }));
    for (const layer of ['triggers', 'event triggers', 'rights', 'partitions'])
      expect(findings).toContainEqual(expect.objectContaining({ what: `log: ${layer}`, status: 'ok' }));
  }, 180_000);

  it('gives a service’s login to the bus no more than the bus', async () => {
    const { host, port, database } = (
      JSON.parse(readFileSync(join(stateDir, 'run', 'addresses.json'), 'utf8')) as {
        postgres: { host: string; port: number; database: string };
      }
    ).postgres;
    const secrets = JSON.parse(readFileSync(join(stateDir, 'secrets', 'database.json'), 'utf8')) as Record<
      string,
      string
    >;
    for (const user of [
      'mayfly_bus_broker',
      'mayfly_bus_revoker',
      'mayfly_bus_auditor',
      'mayfly_bus_client',
    ]) {
      const client = new pg.Client({ host, port, database, user, password: secrets[user] ?? '' });
      await client.connect();
      const { rows } = await client
        .query<{ may: string }>(
          `SELECT DISTINCT table_schema || '.' || table_name || ' ' || lower(privilege_type) AS may
           FROM information_schema.table_privileges WHERE grantee = current_user ORDER BY may`,
        )
        .finally(() => client.end());
      expect(rows.map(({ may }) => may)).toEqual([
        'bus.log_head select',
        'bus.log_record select',
        'bus.member delete',
        'bus.member insert',
        'bus.member select',
        'bus.topic select',
      ]);
    }
  });

  it('refuses to go on with the same state on another bus', async () => {
    const processes = noted(stateDir);
    command.kill('SIGINT');
    expect(await command.exited).toEqual({ code: 0, signal: null });
    expect(await living(processes)).toEqual([]);

    const other = await startCommand(stateDir, { MAYFLY_BUS: 'kafka' });

    expect(await other.exited).toEqual({ code: 2, signal: null });
    expect(other.output()).toMatch(/^mayfly: the state in .* is of a bus on PostgreSQL/m);
  }, 180_000);
});
