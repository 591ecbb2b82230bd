/**
 * Servers for integration specs: a primary and a replica of this spec's own, where the machine has `redis-server` or `valkey-server`;
 * else those of REDIS_URLS (`redis://default:password@host:port`, with commas, of an administrator). Where there is neither, what
 * needs them is skipped and says so, and fails with MAYFLY_REDIS=required.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import {
  findRedis,
  freePort,
  startRedis,
  type RunningRedis,
  type Setting,
} from '../../../../scripts/servers/redis.mjs';
import type { Place } from './connection.js';

const PASSWORD = 'spec-administrator';
/** A server that has just started has forgotten what was cut before: nothing is lent there that was asked for before (life.ts). */
const OLD_ENOUGH_MS = 3_200;
export const untilOld = () => sleep(OLD_ENOUGH_MS);

const hasProgram = findRedis(process.env) !== null;
const urls = (process.env['REDIS_URLS'] ?? '').split(',').filter((url) => url !== '');
if (process.env['MAYFLY_REDIS'] === 'required' && !hasProgram && urls.length === 0)
  throw new Error('MAYFLY_REDIS=required, and there is no redis-server and no REDIS_URLS');

type Describe = (title: string, run: () => void) => void;
const unless = (there: boolean, why: string): Describe =>
  there ? (title, run) => describe(title, run) : (title, run) => describe.skip(`${title} (${why})`, run);

const NONE = 'no redis-server on this machine: apt-get install redis-server';
/** For what any servers will do for. */
export const describeRedis = unless(hasProgram || urls.length > 0, `${NONE}, or set REDIS_URLS`);
/** For what stops and starts them. */
export const describeOwnRedis = unless(hasProgram, NONE);

export interface Admin extends Place {
  user: string;
  password: string;
}

export type RedisClient = ReturnType<typeof createClient>;

/** A client that never comes back by itself. */
export async function clientOf({ host, port, user, password }: Admin): Promise<RedisClient> {
  const client = createClient({
    username: user,
    password,
    RESP: 2,
    disableOfflineQueue: true,
    socket: { host, port, reconnectStrategy: false },
  }) as RedisClient;
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export interface Servers {
  /** The first is the primary. */
  admins: Admin[];
  /** Only of this spec's own servers. */
  running: RunningRedis[];
  /** Starts one that is over, at its port and with its folder. */
  restart(index: number): Promise<void>;
  /** Keeps its redis.conf as it is. @returns what starts it with that again */
  keep(index: number): () => Promise<void>;
  stop(): Promise<void>;
}

/** @param settings of redis.conf; servers are then this spec's own */
export async function openServers(settings?: Record<string, Setting>, count = 2): Promise<Servers> {
  if (!hasProgram && settings === undefined) return external();
  const folder = await mkdtemp(join(tmpdir(), 'mayfly-redis-'));
  const ports: number[] = [];
  const running: RunningRedis[] = [];
  const start = (i: number) =>
    startRedis({
      ...{ dir: join(folder, `node-${i}`), port: ports[i] ?? 0, adminPassword: PASSWORD },
      ...(i === 0 ? {} : { replicaOf: { host: '127.0.0.1', port: ports[0] ?? 0 } }),
      ...{ settings: settings ?? {}, reaper: { remove: [folder] } },
    });
  /** Specs run at the same time, and one may take a port that another has just looked at. */
  const startSomewhere = async (i: number): Promise<RunningRedis> => {
    for (;;) {
      ports[i] = await freePort();
      try {
        return await start(i);
      } catch (error) {
        if ((error as { portTaken?: boolean }).portTaken !== true) throw error;
        await rm(join(folder, `node-${i}`), { recursive: true });
      }
    }
  };
  for (let i = 0; i < count; i++) running.push(await startSomewhere(i));
  const admins = ports.map((port) => ({ host: '127.0.0.1', port, user: 'default', password: PASSWORD }));
  await Promise.all(admins.slice(1).map(untilFed));
  await untilOld();
  const restart = async (index: number) => {
    await running[index]?.stop();
    running[index] = await start(index);
  };
  return {
    admins,
    running,
    restart,
    keep(index) {
      const file = join(folder, `node-${index}`, 'redis.conf');
      const kept = readFileSync(file);
      return async () => {
        await running[index]?.stop();
        writeFileSync(file, kept);
        running[index] = await start(index);
      };
    },
    async stop() {
      // One that stands still does not hear that it is to end.
      for (const { child } of running) child.kill('SIGCONT');
      await Promise.all(running.map((server) => server.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function external(): Servers {
  const admins = urls.map((text) => {
    const url = new URL(text);
    const [user, password] = [url.username || 'default', url.password].map(decodeURIComponent) as [
      string,
      string,
    ];
    return { host: url.hostname, port: Number(url.port || 6_379), user, password };
  });
  const nobody = () => Promise.reject(new Error('the servers of REDIS_URLS are not ours to restart'));
  return { admins, running: [], restart: nobody, keep: () => nobody, stop: () => Promise.resolve() };
}

async function untilFed(replica: Admin): Promise<void> {
  const client = await clientOf(replica);
  while (
    !((await client.sendCommand(['INFO', 'replication'])) as unknown as string).includes(
      'master_link_status:up',
    )
  )
    await sleep(20);
  client.destroy();
}
