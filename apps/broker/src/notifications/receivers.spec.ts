/** The secrets of receivers, read from where the operator keeps them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { openReceivers } from './receivers.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const receiver = { id: 'desk', kind: 'webhook' as const, url: 'https://desk.example', events: [] };
const folder = mkdtempSync(join(tmpdir(), 'mayfly-receivers-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(text: string, mode = 0o600): string {
  const file = join(folder, `${mode}-${text.length}`);
  writeFileSync(file, text, { mode });
  return file;
}
const failureOf = (secretFile: string) =>
  openReceivers([{ ...receiver, secretFile }]).catch((error: unknown) => error);

it('takes a secret from a file as from the environment, and shows neither', async () => {
  const opened = await openReceivers([
    { ...receiver, secret: SECRET },
    { ...receiver, secretFile: fileOf(`${SECRET}\n`) },
  ]);
  const [first, second] = opened.map((each) => (each.kind === 'webhook' ? each.key.export() : null));
  expect(first).toEqual(second);
  expect(inspect(opened, { depth: 9 })).not.toContain(SECRET.slice(6));
  expect(JSON.stringify(opened)).not.toContain(SECRET.slice(6));
});

it('needs none for a chat', async () => {
  const chat = { ...receiver, kind: 'slack' as const };
  expect(await openReceivers([chat])).toEqual([chat]);
});

it.each([
  ['that is not there', () => join(folder, 'none'), 'ERR_IDENTITY_FILE_UNREADABLE'],
  ['that is open to others', () => fileOf(SECRET, 0o644), 'ERR_IDENTITY_KEY_INVALID'],
  ['that holds no secret', () => fileOf('whsec_short'), 'ERR_IDENTITY_KEY_INVALID'],
])('refuses a file %s, and names it', async (_what, file, code) => {
  expect(await failureOf(file())).toMatchObject({ name: 'IdentityError', code, fields: { file: file() } });
});
