import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asTaskId, proofKeyPath, readAddresses, stateFolder } from './state-folder.js';

const TASK = '0192f0a0-0000-7000-8000-000000000001';
const addresses = {
  broker: 'http://127.0.0.1:7070',
  revoker: 'http://127.0.0.1:7071',
  auditor: 'http://127.0.0.1:7072',
  signer: 'http://127.0.0.1:7074',
  console: null,
  kafka: '127.0.0.1:7092',
  postgres: { host: '127.0.0.1', port: 7432, database: 'mayfly' },
  target: { host: '127.0.0.1', port: 7433, database: 'shop' },
};

describe('state folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'state-folder-'));
    await mkdir(join(folder, 'run'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const write = (text: string) => writeFile(join(folder, 'run', 'addresses.json'), text);

  it('is the one that MAYFLY_STATE_DIR names', () => {
    expect(stateFolder({ MAYFLY_STATE_DIR: folder })).toBe(folder);
    expect(stateFolder({ MAYFLY_STATE_DIR: '' })).toMatch(/\/\.mayfly$/);
  });

  it('says where everything listens while Mayfly runs', async () => {
    await write(JSON.stringify({ ...addresses, pid: process.pid }));
    await expect(readAddresses(folder)).resolves.toMatchObject({ kafka: '127.0.0.1:7092' });
  });

  it('says that Mayfly is not running when there are no addresses, or nobody behind them', async () => {
    const notRunning = { code: 'ERR_CLI_NOT_RUNNING', message: 'Mayfly is not running: npm start' };
    await expect(readAddresses(folder)).rejects.toMatchObject(notRunning);
    // Above the largest process number of Linux and macOS.
    await write(JSON.stringify({ ...addresses, pid: 2 ** 22 + 1 }));
    await expect(readAddresses(folder)).rejects.toMatchObject(notRunning);
  });

  it.each(['', '{"broker":', '{"broker":"http://127.0.0.1:7070"}'])(
    'refuses damaged addresses: %p',
    async (text) => {
      await write(text);
      await expect(readAddresses(folder)).rejects.toMatchObject({ code: 'ERR_CLI_FILE' });
    },
  );

  it('keeps a proof key for each task and identity, at a path that neither can escape', () => {
    const id = 'spiffe://dev.mayfly/agent/analyst';
    expect(proofKeyPath(folder, TASK, id)).toMatch(
      /\/agents\/0192f0a0-0000-7000-8000-000000000001\/analyst-[0-9a-f]{16}\.jwk$/,
    );
    expect(proofKeyPath(folder, TASK, 'spiffe://a/x/analyst')).not.toBe(proofKeyPath(folder, TASK, id));
    expect(proofKeyPath(folder, TASK, 'spiffe://a/..')).toMatch(/\/\.\.-[0-9a-f]{16}\.jwk$/);
    expect(() => proofKeyPath(folder, '../x', id)).toThrow(
      '`../x` is no task id: a lower-case UUIDv7 is wanted',
    );
  });

  it('takes a UUIDv7 and nothing else for a task id', () => {
    expect(asTaskId(TASK)).toBe(TASK);
    expect(() => asTaskId('0192f0a0-0000-4000-8000-000000000001')).toThrow(
      expect.objectContaining({ code: 'ERR_CLI_USAGE' }) as Error,
    );
  });
});
