/** A server's life: from its start until it ends, and with it all the users and fences that are in its memory only. */
import type { Reply } from './acl.js';
import type { RedisSettings } from './settings.js';

export interface Life {
  /** Another one after each start. */
  runId: string;
  /** By our clock; it did not begin later than that. */
  beganAtMs: number;
  /** Of Redis, or the one that Valkey says it is like. */
  version: string;
  /** It knows `CLIENT SETINFO`, with which clients say what they are. */
  hasSetInfo: boolean;
}

/** How far the clocks of our own processes may differ (protocol rule 12). */
const SKEW_MS = 2_000;

/** Of an answer to `INFO server`, which came at `atMs`. @throws Error when it does not say who it is */
export function lifeIn(reply: Reply | undefined, atMs: number): Life {
  const info = new Map(
    String(reply)
      .split('\n')
      .map((line) => line.trim().split(':') as [string, string]),
  );
  const [runId, version] = [info.get('run_id'), info.get('redis_version')];
  const uptimeS = Number(info.get('uptime_in_seconds'));
  if (runId === undefined || version === undefined || !Number.isInteger(uptimeS))
    throw new Error('server does not say who it is');
  const beganAtMs = atMs - uptimeS * 1_000;
  return { runId, version, beganAtMs, hasSetInfo: isFrom(version, 7, 2) };
}

function isFrom(version: string, wantedMajor: number, wantedMinor: number): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

export const isOldEnough = ({ beganAtMs }: Life, bornAtMs: number): boolean =>
  beganAtMs + SKEW_MS <= bornAtMs;

/** Settings of a server that decide about our users. */
export type ServerConfig = ReadonlyMap<string, string>;

/** Of an answer to `CONFIG GET`. */
export function configIn(reply: Reply | undefined): ServerConfig {
  const config = new Map<string, string>();
  if (Array.isArray(reply))
    for (let i = 0; i + 1 < reply.length; i += 2) config.set(String(reply[i]), String(reply[i + 1]));
  return config;
}

export const CONFIG_ASKED = ['aclfile', 'acl-pubsub-default'] as const;

/** Why nothing may be lent there; null where it may. */
export function unfitness({ version }: Life, config: ServerConfig, settings: RedisSettings): string | null {
  // Selectors came with it.
  if (!isFrom(version, 7, 0)) return 'server is older than Redis 7';
  const [file, channels] = CONFIG_ASKED.map((name) => config.get(name));
  if (file === undefined || channels === undefined) return 'server does not tell its settings';
  if (channels !== 'resetchannels') return 'acl-pubsub-default is not resetchannels';
  if (file !== '' && settings.aclFile === 'none') return 'server keeps its users in a file';
  return null;
}
