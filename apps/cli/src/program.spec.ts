import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProofKey } from '#agent/proof-key.js';
import { ensureDevelopmentTrust } from '#identity/development/development-trust.js';
import { program } from './program.js';

const TASK = '0192f0a0-0000-7000-8000-000000000001';
const AGENT = 'spiffe://dev.mayfly/agent/analyst';

describe('mayfly', () => {
  let folder: string;
  let stdout: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mayfly-cli-'));
    stdout = '';
  });
  afterEach(() => rm(folder, { recursive: true }));

  const run = (...args: string[]) =>
    program(
      { MAYFLY_ENV: 'development', MAYFLY_STATE_DIR: folder },
      { stdout: { write: (text) => (stdout += text) }, stderr: { write: () => undefined } },
    ).parseAsync(args, { from: 'user' });
  const file = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const claims = (token: string) =>
    JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;

  describe('svid', () => {
    beforeEach(() => ensureDevelopmentTrust(folder, 'dev.mayfly', { MAYFLY_ENV: 'development' }));

    it('prints the token alone, bound to the key of a public JWK', async () => {
      const key = ProofKey.generate();
      const jwk = await file('key.jwk', JSON.stringify(key.publicJwk));
      await run('svid', '--id', AGENT, '--key', jwk, '--ttl', '60');
      expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
      const { sub, aud, iat, exp } = claims(stdout);
      expect({ sub, aud }).toEqual({ sub: AGENT, aud: [`mayfly:jkt:${key.thumbprint}`] });
      expect(Number(exp) - Number(iat)).toBe(60);
    });

    it('takes a private JWK as well', async () => {
      const path = join(folder, 'private.jwk');
      const key = await ProofKey.loadOrCreate(path);
      await run('svid', '--id', AGENT, '--key', path);
      expect(claims(stdout).aud).toEqual([`mayfly:jkt:${key.thumbprint}`]);
    });

    it('answers with one JSON document when asked to', async () => {
      await run('svid', '--id', AGENT, '--json');
      expect(JSON.parse(stdout)).toMatchObject({ id: AGENT, audience: 'mayfly', ttlS: 300 });
    });

    it.each([
      ['a key and an audience', ['--key', 'key.jwk', '--audience', 'x'], 'ERR_CLI_USAGE'],
      ['a key file that is missing', ['--key', 'nowhere.jwk'], 'ERR_CLI_FILE'],
      ['a time to live beyond a day', ['--ttl', '90000'], 'ERR_IDENTITY_SVID_REFUSED'],
      ['a time to live that is no number', ['--ttl', 'long'], 'commander.invalidArgument'],
    ])('refuses %s', async (_what, args, code) => {
      await expect(run('svid', '--id', AGENT, ...args)).rejects.toMatchObject({ code });
      expect(stdout).toBe('');
    });
  });

  it('says how to get a trust domain where there is none', async () => {
    await expect(run('svid', '--id', AGENT)).rejects.toMatchObject({
      code: 'ERR_CLI_NOT_RUNNING',
      message: 'there is no development trust domain yet: npm start makes it',
    });
  });

  it('refuses a declaration that breaks the schema, naming the member', async () => {
    const task = await file('task.json', JSON.stringify({ purpose: 'x' }));
    await expect(run('task', 'start', '--file', task)).rejects.toMatchObject({
      code: 'ERR_CLI_FILE',
      message: expect.stringContaining('task.json: objectiveSha256: ') as string,
    });
  });

  it.each(['not JSON', '[]', '"text"', 'null', '{"deadline":"soon"}'])(
    'refuses an amendment that is %s',
    async (text) => {
      const amendment = await file('amendment.json', text);
      await expect(run('task', 'amend', TASK, '--file', amendment)).rejects.toMatchObject({
        code: 'ERR_CLI_FILE',
      });
    },
  );

  it.each(['not JSON', '[]', '"text"', 'null'])('refuses a declaration that is %s', async (text) => {
    const task = await file('task.json', text);
    await expect(run('task', 'start', '--file', task)).rejects.toMatchObject({ code: 'ERR_CLI_FILE' });
  });

  it.each([
    ['task', 'amend', TASK, '--rekey', AGENT],
    ['task', 'end', TASK],
    ['task', 'show', TASK],
    ['call', '--task', TASK, '--tool', 'sql.query', '--dataset', 'crm.orders', '--action', 'read'],
  ])('says that Mayfly is not running: %s %s', async (...args) => {
    await expect(run(...args)).rejects.toMatchObject({
      code: 'ERR_CLI_NOT_RUNNING',
      message: 'Mayfly is not running: npm start',
    });
  });

  it.each([
    [['task', 'amend', TASK], 'ERR_CLI_USAGE'],
    [['task', 'amend', 'no-id', '--rekey', AGENT], 'ERR_CLI_USAGE'],
    [['task', 'amend', TASK, '--rekey', 'nobody'], 'ERR_CLI_FILE'],
    [['task', 'end', 'no-id'], 'ERR_CLI_USAGE'],
    [['task', 'end', TASK, '--outcome', 'great'], 'commander.invalidArgument'],
    [['call', '--task', TASK], 'commander.missingMandatoryOptionValue'],
    [['fly'], 'commander.unknownCommand'],
  ])('refuses what it does not understand: %p', async (args, code) => {
    await expect(run(...args)).rejects.toMatchObject({ code });
  });
});
