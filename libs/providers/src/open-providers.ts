/** The one place where a target's kind picks its adapter. */
import type { Log } from '#telemetry/log.js';
import { unreachable } from '#events/unreachable.js';
import { openJwt, type JwtMeans } from './jwt/jwt-provider.js';
import { openKafka } from './kafka/kafka-provider.js';
import { openPostgres } from './postgres/postgres-provider.js';
import type { CredentialProvider } from './provider.js';
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
    const place = placeOf(target);
    if (taken.has(target.id) || taken.has(place))
      throw new Error(`target \`${target.id}\` is configured twice, or is for tokens to ourselves`);
    taken.add(target.id).add(place);
  }
  return new Map(targets.map((target) => [target.id, open(target, log.child({ target: target.id }), means)]));
}

function open(target: TargetSettings, log: Log, means: ProviderMeans): CredentialProvider {
  switch (target.provider) {
    case 'postgres':
      return openPostgres(target, log);
    case 'jwt':
      return openJwt(target, log, means);
    case 'kafka':
      return openKafka(target, log);
    default:
      return unreachable(target);
  }
}

function placeOf(target: TargetSettings): string {
  if (target.provider === 'jwt') return placeOfAudience(target.audience);
  if (target.provider === 'kafka')
    return JSON.stringify([...target.connection.brokers.toSorted(), target.namespace]);
  const { host, port } = target.connection;
  return JSON.stringify([host, port, target.namespace]);
}

const placeOfAudience = (audience: string) => JSON.stringify(['audience', audience]);
