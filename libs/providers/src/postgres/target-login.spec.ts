import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import pg from 'pg';
import { Secret } from '../secret.js';
import { writePasswords } from './password-file.js';
import { TargetLogin } from './target-login.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-login-'));
  file = join(folder, 'password');
});
afterEach(() => rm(folder, { recursive: true }));

/** A server that lets one password in, and counts the others. */
class Server {
  readonly refused: string[] = [];
  constructor(public right: string) {}

  lets(login: TargetLogin): Promise<string> {
    return login.enter(async () => {
      const { password, refuse } = await login.next();
      if (password === this.right) return password;
      this.refused.push(password);
      refuse();
      throw passwordRefused();
    });
  }
}
const passwordRefused = () =>
  Object.assign(new pg.DatabaseError('in the words of the server', 1, 'error'), { code: '28P01' });
const fileHolds = (...passwords: string[]) =>
  writePasswords(
    file,
    passwords.map((password) => new Secret(password)),
  );
const inFile = () => new TargetLogin({ user: 'mayfly_broker', password: new Secret(''), passwordFile: file });

it('has the password that is in no file, and tries it once', async () => {
  const login = new TargetLogin({ user: 'mayfly_broker', password: new Secret('one') });
  const server = new Server('two');

  await expect(server.lets(login)).rejects.toMatchObject({ code: '28P01' });
  expect(server.refused).toEqual(['one']);
});

it('tries the newer password, then the older one, and remembers which was refused', async () => {
  await fileHolds('new', 'old');
  const server = new Server('old');
  const login = inFile();

  expect([await server.lets(login), await server.lets(login)]).toEqual(['old', 'old']);
  expect(server.refused).toEqual(['new']);
});

it('goes on with the new one once the server has it', async () => {
  await fileHolds('new', 'old');
  const server = new Server('old');
  const login = inFile();
  await server.lets(login);
  server.right = 'new';

  expect(await server.lets(login)).toBe('new');
  await fileHolds('new');
  expect(await server.lets(login)).toBe('new');
  expect(server.refused).toEqual(['new', 'old']);
});

it('tries the older one next, though others of the same process are told only then that the newer one is wrong', async () => {
  await fileHolds('new', 'old');
  const login = inFile();
  const asked: string[] = [];
  const answers: ((isRight: boolean) => void)[] = [];
  const enter = () =>
    login.enter(async () => {
      const { password, refuse } = await login.next();
      asked.push(password);
      if (await new Promise<boolean>((answer) => answers.push(answer))) return password;
      refuse();
      throw passwordRefused();
    });
  const haveAsked = async (count: number) => {
    while (answers.length < count) await setImmediate();
  };

  const logins = [enter(), enter(), enter()];
  await haveAsked(3);
  for (const n of [0, 1, 2]) {
    answers[n]?.(false);
    await haveAsked(4 + n);
  }
  for (const answer of answers) answer(true);

  expect(await Promise.all(logins)).toEqual(['old', 'old', 'old']);
  expect(asked).toEqual(['new', 'new', 'new', 'old', 'old', 'old']);
});

it('tries the new one again where it was refused before the server had it, and is the only one by now', async () => {
  await fileHolds('new', 'old');
  const login = inFile();
  let tries = 0;

  const entered = login.enter(async () => {
    const { password, refuse } = await login.next();
    tries += 1;
    if (tries > 1) return password;
    await fileHolds('new');
    refuse();
    throw passwordRefused();
  });

  expect(await entered).toBe('new');
  expect(tries).toBe(2);
});

it('finds what another process has written since', async () => {
  await fileHolds('old');
  const server = new Server('old');
  const login = inFile();
  await server.lets(login);
  await fileHolds('new');
  server.right = 'new';

  expect(await server.lets(login)).toBe('new');
  expect(server.refused).toEqual([]);
});

it('gives up where no password of the file is right, after each was tried', async () => {
  await fileHolds('new', 'old');
  const server = new Server('another');

  await expect(server.lets(inFile())).rejects.toMatchObject({ code: '28P01' });
  expect(new Set(server.refused)).toEqual(new Set(['new', 'old']));
  expect(server.refused.length).toBeLessThanOrEqual(4);
});

it('does not try again what failed for another reason', async () => {
  await fileHolds('new', 'old');
  let attempts = 0;
  const attempt = () => {
    attempts += 1;
    return Promise.reject(new Error('timeout expired'));
  };

  await expect(inFile().enter(attempt)).rejects.toThrow('timeout expired');
  expect(attempts).toBe(1);
});
