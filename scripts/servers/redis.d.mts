/** A Redis for tests; see redis.mjs. */
export type Setting = string | number | (string | number)[];

export interface RedisOptions {
  name?: string;
  dir: string;
  port: number;
  adminPassword: string;
  replicaOf?: { host: string; port: number };
  settings?: Record<string, Setting>;
  reaper?: { remove: string[] } | null;
  env?: NodeJS.ProcessEnv;
}

export interface RunningRedis {
  host: string;
  port: number;
  pid: number;
  child: { kill(signal: NodeJS.Signals): void };
  stop(): Promise<void>;
}

export function findRedis(env: NodeJS.ProcessEnv): string | null;
export function redisConf(options: RedisOptions): string;
export function startRedis(options: RedisOptions): Promise<RunningRedis>;
/** A port of the loopback interface that nobody listens on right now. */
export function freePort(): Promise<number>;
