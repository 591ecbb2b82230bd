/** The sample's catalogue in a folder of its own, to be edited, and what is refused of it. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '#config/config-error.js';
import { loadCatalogue } from '../src/load-catalogue.js';

export const SAMPLE = 'deploy/sample/catalogue';
export const env = {
  MAYFLY_TARGET_HOST: '127.0.0.1',
  MAYFLY_TARGET_PORT: '7433',
  MAYFLY_TARGET_DATABASE: 'shop',
  MAYFLY_TARGET_USER: 'mayfly_broker',
  MAYFLY_TARGET_PASSWORD: '0042',
};

export let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mayfly-catalogue-'));
  cpSync(SAMPLE, dir, { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true }));

export function edit(file: string, from: string, to: string): void {
  const path = join(dir, file);
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
}
export const lineIn = (file: string, text: string) =>
  readFileSync(join(dir, file), 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text)) + 1;

export async function refusal(): Promise<ConfigError> {
  const error: unknown = await loadCatalogue(dir, env).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ConfigError) return error;
  throw new Error('expected a ConfigError', { cause: error });
}
