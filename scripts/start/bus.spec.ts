import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KAFKA_VERSION } from '../servers/kafka-jars.mjs';
import { chooseBus } from './bus.mjs';

const noJava = { JAVA_HOME: join('nowhere', 'java'), PATH: '' };
let stateDir: string;
let said: string[];
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'mayfly-bus-'));
  said = [];
});
afterEach(() => rmSync(stateDir, { recursive: true }));

const none = () => Promise.resolve(null);
const docker = () => Promise.resolve({});
const unasked = () => Promise.reject(new Error('the engine was asked'));

const choose = (env: Record<string, string>, engine: () => Promise<object | null> = none) =>
  chooseBus({ stateDir, cacheDir: stateDir, env, say: (_part, text) => void said.push(text) }, engine);

it('is PostgreSQL where no Kafka can be had, and says so and how to get one', async () => {
  await expect(choose(noJava)).resolves.toBe('postgres');

  expect(said.join('\n')).toMatch(
    /Kafka clients CANNOT connect[^]*install Java 17 and Maven, or start Docker, or set KAFKA_BROKERS/,
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

describe('where a Docker engine answers', () => {
  it.each([
    ['without Java', noJava],
    ['without Java, where Kafka is forced', { ...noJava, MAYFLY_BUS: 'kafka' }],
  ])('it is a Kafka in a container %s, and stays it', async (_where, env) => {
    await expect(choose(env, docker)).resolves.toBe('kafka-container');

    expect(said).toEqual([]);
    await expect(choose({}, docker)).resolves.toBe('kafka-container');
    await expect(choose({ MAYFLY_BUS: 'kafka' }, docker)).resolves.toBe('kafka-container');
  });

  it.each([
    ['PostgreSQL is forced', { ...noJava, MAYFLY_BUS: 'postgres' }, 'postgres'],
    ['Java and the jars are there', { MAYFLY_BUS: 'kafka' }, 'kafka'],
  ])('it is not asked where %s', async (_where, env, bus) => {
    mkdirSync(join(stateDir, 'jars', `kafka-${KAFKA_VERSION}`), { recursive: true });
    const java = join(stateDir, 'java');
    mkdirSync(join(java, 'bin'), { recursive: true });
    writeFileSync(join(java, 'bin', 'java'), '#!/bin/sh\necho \'openjdk version "17.0.15"\'\n', {
      mode: 0o755,
    });

    await expect(choose({ JAVA_HOME: java, ...env }, unasked)).resolves.toBe(bus);
  });

  it('it is not asked for a state that has begun with a Kafka on Java', async () => {
    mkdirSync(join(stateDir, 'kafka'));

    await expect(choose(noJava, unasked)).rejects.toThrow(/no Java was found/);
  });
});

it('is nothing else for a state folder whose Kafka was in Docker, when no engine answers or another Kafka is named', async () => {
  await choose(noJava, docker);

  await expect(choose({}, none)).rejects.toThrow(/a Kafka in Docker, and no Docker engine answers/);
  await expect(choose({ KAFKA_BROKERS: '127.0.0.1:1' }, docker)).rejects.toThrow(
    /is of a bus on a Kafka in Docker, and its positions mean nothing on the Kafka of KAFKA_BROKERS/,
  );
  await expect(choose({ MAYFLY_BUS: 'postgres' }, docker)).rejects.toThrow(/mean nothing on PostgreSQL/);
});
