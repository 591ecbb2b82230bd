import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseBus } from './bus.mjs';

const noJava = { JAVA_HOME: join('nowhere', 'java'), PATH: '' };
let stateDir: string;
let said: string[];
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'mayfly-bus-'));
  said = [];
});
afterEach(() => rmSync(stateDir, { recursive: true }));

const choose = (env: Record<string, string>) =>
  chooseBus({ stateDir, cacheDir: stateDir, env, say: (_part, text) => void said.push(text) });

it('is PostgreSQL where no Kafka can be had, and says so and how to get one', async () => {
  await expect(choose(noJava)).resolves.toBe('postgres');

  expect(said.join('\n')).toMatch(
    /Kafka clients CANNOT connect[^]*install Java 17 and Maven, or set KAFKA_BROKERS/,
  );
  expect(readFileSync(join(stateDir, 'bus'), 'utf8')).toBe('postgres\n');
});

it('is not PostgreSQL where Kafka is forced and cannot be had', () =>
  expect(choose({ ...noJava, MAYFLY_BUS: 'kafka' })).rejects.toThrow(/no Java was found/));

it('is not PostgreSQL where a Kafka is named that does not answer', () =>
  expect(choose({ KAFKA_BROKERS: '127.0.0.1:1' })).rejects.toThrow(/nothing answers at KAFKA_BROKERS/));

it('stays what a state folder has begun with', async () => {
  await choose({ MAYFLY_BUS: 'postgres' });

  await expect(choose({})).resolves.toBe('postgres');
  await expect(choose({ MAYFLY_BUS: 'kafka' })).rejects.toThrow(/is of a bus on PostgreSQL/);
});

it('is Kafka for a state folder that has one, and not silently PostgreSQL when Java is gone', async () => {
  mkdirSync(join(stateDir, 'kafka'));

  await expect(choose(noJava)).rejects.toThrow(/no Java was found/);
  await expect(choose({ MAYFLY_BUS: 'postgres' })).rejects.toThrow(/is of a bus on Kafka/);
});
