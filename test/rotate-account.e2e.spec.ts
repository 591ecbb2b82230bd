/**
 * Proves that a process killed with -9 between any two steps of a rotation locks nobody out of its account at the target: whoever was there
 * goes on making and cutting leases, and the next rotation ends what was begun.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type pg from 'pg';
import { openPostgres } from '#providers/postgres/postgres-provider.js';
import { openSampleTarget, type SampleTarget } from '#providers/postgres/sample-target.contract.js';
import { postgresSettings } from '#providers/postgres/settings.js';
import type { CredentialProvider } from '#providers/provider.js';
import { createLog } from '#telemetry/log.js';

const USER = 'rotate_e2e_broker';
const ROOT = join(import.meta.dirname, '..');
const built = (path: string) => pathToFileURL(join(ROOT, 'dist', 'libs', 'providers', 'src', path)).href;
/** Reads what to do from stdin, and ends itself as kill -9 would, once a step has been taken. */
const ROTATION = `
import { text } from 'node:stream/consumers';
const { target, dieAfter } = JSON.parse(await text(process.stdin));
const { targetSettings } = await import(${JSON.stringify(built('target-settings.js'))});
const { rotateLogin } = await import(${JSON.stringify(built('postgres/rotate-login.js'))});
await rotateLogin(targetSettings.parse(target), {
  mayGoOn: async () => undefined,
  after: (step) => { if (step === dieAfter) process.kill(process.pid, 'SIGKILL'); },
});
`;

describe('kill -9 of a rotation', () => {
  let target: SampleTarget;
  let superuser: pg.Client;
  let folder: string;
  let file: string;
  const open: CredentialProvider[] = [];

  beforeAll(async () => {
    target = await openSampleTarget('rke');
    superuser = await target.superuser();
    await superuser.query(`DROP ROLE IF EXISTS ${USER}`);
    await superuser.query(`CREATE ROLE ${USER} LOGIN IN ROLE mayfly_broker`);
  });
  afterAll(() => target.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mayfly-rotate-'));
    file = join(folder, 'password');
    await superuser.query(`ALTER ROLE ${USER} PASSWORD 'the first'`);
    await writeFile(file, 'the first\n', { mode: 0o600 });
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((provider) => provider.close()));
    await rm(folder, { recursive: true });
  });

  function broker(): CredentialProvider {
    const login = postgresSettings.shape.login.parse({ user: USER, passwordFile: file });
    const provider = openPostgres(
      { ...target.brokerSettings, login },
      createLog('broker', { level: 'silent' }),
    );
    open.push(provider);
    return provider;
  }

  /** @returns the signal that ended it, or its status */
  async function rotation(dieAfter?: 'written' | 'altered'): Promise<NodeJS.Signals | number | null> {
    const { host, port, database } = target.brokerSettings.connection;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', ROTATION], {
      ...{ cwd: ROOT, stdio: ['pipe', 'ignore', 'inherit'] },
    });
    child.stdin?.end(
      JSON.stringify({
        target: {
          ...{ id: 'shop', provider: 'postgres', maxTtlMs: 900_000, namespace: 'rke', issuerShards: 8 },
          connection: { host, port, database, tls: { mode: 'disable' } },
          login: { user: USER, passwordFile: file },
        },
        dieAfter,
      }),
    );
    const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return signal ?? status;
  }

  const lines = async () => (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  async function lends(provider: CredentialProvider): Promise<void> {
    const plan = target.plan();
    expect(await provider.create(plan)).toMatchObject({ answer: 'created' });
    expect((await target.revoker.cut(plan)).observation).toMatchObject({ state: 'disabled' });
  }

  it.each(['written', 'altered'] as const)(
    'after it has %s the password: nobody is locked out, and the next one ends it',
    async (step) => {
      const there = broker();
      await lends(there);

      expect(await rotation(step)).toBe('SIGKILL');
      const [newest] = await lines();
      expect(await lines()).toEqual([newest, 'the first']);
      await lends(there);
      await lends(broker());

      expect(await rotation()).toBe(0);
      expect(await lines()).toEqual([newest]);
      await lends(there);
      await lends(broker());
    },
  );
});
