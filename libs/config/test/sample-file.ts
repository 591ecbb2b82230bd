/** The sample's configuration, read as it is or with a text replaced, and what is refused of it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../src/config-error.js';
import { loadConfig } from '../src/load.js';
import type { ProcessName } from '../src/process-name.js';

export const SAMPLE = 'deploy/sample/mayfly.yaml';
export const env = {
  MAYFLY_ENV: 'development',
  MAYFLY_STATE_DIR: 'state',
  KAFKA_BROKERS: 'kafka-1:9092, kafka-2:9092',
  MAYFLY_BROKER_PORT: '18070',
  MAYFLY_BROKER_DATABASE_URL: 'postgres://mayfly_broker:hunter2@127.0.0.1:7432/mayfly',
};

export const folder = mkdtempSync(join(tmpdir(), 'mayfly-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The sample with one text replaced, in a file of its own. */
export function edited(from: string, to: string): string {
  const text = readFileSync(SAMPLE, 'utf8');
  if (!text.includes(from)) throw new Error(`the sample has no ${from}`);
  const file = join(folder, 'mayfly.yaml');
  writeFileSync(
    file,
    text.replace(from, () => to),
  );
  return file;
}
export const lineIn = (file: string, text: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text)) + 1;

export function refusalOf(
  file: string,
  variables: Record<string, string> = env,
  service: ProcessName | 'cli' = 'broker',
) {
  try {
    loadConfig(file, variables, service);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('expected a ConfigError');
}
