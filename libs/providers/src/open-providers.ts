/** The one place where a target's kind picks its adapter. */
import type { Log } from '#telemetry/log.js';
import { unreachable } from '#events/unreachable.js';
import { openJwt, type JwtMeans } from './jwt/jwt-provider.js';
import { openPostgres } from './postgres/postgres-provider.js';
import type { CredentialProvider } from './provider.js';
import { openRedis } from './redis/redis-provider.js';
import type { TargetSettings } from './target-settings.js';

/** What a process can do besides logging in somewhere. */
export type ProviderMeans = JwtMeans;

/**
 * Opens an adapter for every target, by target id. Nothing connects before it is used.
 * @throws Error when two targets have one id, one namespace at one place, or one audience, or when the audience is ourselves:
 *   a token for a tool must be good for nothing at the broker
 */
export function openProviders(
  targets: readonly TargetSettings[],
  log: Log,
  means: ProviderMeans,
): Map<string, CredentialProvider> {
  const taken = new Set<string>(means.signer === undefined ? [] : [placeOfAudience(means.signer.issuer)]);
  for (const target of targets) {
    const places = placesOf(target);
    if (taken.has(target.id) || places.some((place) => taken.has(place)))
      throw new Error(`target \`${target.id}\` is configured twice, or is for tokens to ourselves`);
    for (const place of [target.id, ...places]) taken.add(place);
  }
  return new Map(targets.map((target) => [target.id, open(target, log.child({ target: target.id }), means)]));
}

function open(target: TargetSettings, log: Log, means: ProviderMeans): CredentialProvider {
  switch (target.provider) {
    case 'postgres':
      return openPostgres(target, log);
    case 'jwt':
      return openJwt(target, log, means);
    case 'redis':
      return openRedis(target, log);
    default:
      return unreachable(target);
  }
}

function placesOf(target: TargetSettings): string[] {
  if (target.provider === 'jwt') return [placeOfAudience(target.audience)];
  const servers = target.provider === 'redis' ? target.nodes : [target.connection];
  return servers.map(({ host, port }) => JSON.stringify([host, port, target.namespace]));
}

const placeOfAudience = (audience: string) => JSON.stringify(['audience', audience]);
