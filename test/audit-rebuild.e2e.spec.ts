/** Proves that projections are what the log says, from the command line: with the auditor's own login, while nothing is running. */
import { join } from 'node:path';
import { generateNoteKey, parseSigner } from '#merkle/node/keys.js';
import { ingesting } from '../apps/auditor/spec/ingesting.js';
import { freshLogDatabase, type LogDatabase } from '../apps/auditor/spec/log-database.js';
import { variedRecords } from '../apps/auditor/spec/varied.js';
import { World } from '../apps/auditor/spec/world.js';
import { signHead } from '../apps/auditor/src/signer/sign-head.js';
import { catchUp } from '../apps/auditor/src/projection/projector.js';
import { program } from '../apps/cli/src/program.js';

let log: LogDatabase;
let world: World;
beforeAll(async () => {
  [log, world] = await Promise.all([freshLogDatabase(), World.open()]);
  await ingesting(log.runtime, world).onBatch(await variedRecords(world, 5));
  await signHead(log.signer, [parseSigner(generateNoteKey('audit.example/log').skey)], 3_600_000);
  await catchUp(log.runtime);
});
afterAll(() => Promise.all([log.drop(), world.close()]));

async function rebuild(...args: string[]): Promise<{ text: string; code?: unknown }> {
  let text = '';
  const url = ({ pool }: LogDatabase['owner']): string => String(pool.options.connectionString);
  const env = {
    ...{ MAYFLY_ENV: 'development', MAYFLY_STATE_DIR: world.stateDir, KAFKA_BROKERS: '127.0.0.1:9' },
    ...{ MAYFLY_AUDITOR_DATABASE_URL: url(log.runtime), MAYFLY_AUDITOR_OWNER_DATABASE_URL: url(log.owner) },
  };
  const streams = { stdout: { write: (more: string) => (text += more) }, stderr: { write: () => undefined } };
  const config = join(import.meta.dirname, '..', 'deploy', 'sample', 'mayfly.yaml');
  return await program(env, streams)
    .parseAsync(['audit', 'rebuild', '--config', config, ...args], { from: 'user' })
    .then(
      () => ({ text }),
      ({ code }: { code: unknown }) => ({ text, code }),
    );
}

it('says that they are as they were, finds what was changed, and puts it right', async () => {
  expect(await rebuild('--check')).toEqual({ text: expect.stringContaining('all as they were') as string });

  await log.runtime.pool.query('UPDATE access_grant SET cause = $1 WHERE cut_at_ms IS NOT NULL', [
    'vanished',
  ]);
  const found = await rebuild('--check');
  expect(found).toMatchObject({ code: 'ERR_CLI_PROJECTIONS_DIFFER' });
  expect(found.text).toContain('cause "vanished", of the log ');

  expect((await rebuild()).text).toContain('and were replaced');
  expect(JSON.parse((await rebuild('--check', '--json')).text)).toMatchObject({ ok: true });
});
