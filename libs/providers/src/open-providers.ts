/** The one place where a target's kind picks its adapter. */
import type { Log } from '#telemetry/log.js';
import { unreachable } from '#events/unreachable.js';
import type { JwtMeans } from './jwt/jwt-provider.js';
import type { CredentialProvider } from './provider.js';
import type { TargetFinding } from './target-finding.js';
import type { TargetSettings } from './target-settings.js';

/** What a process can do besides logging in somewhere. */
export type ProviderMeans = JwtMeans;

/**
 * Opens an adapter for every target, by target id. Nothing connects before it is used, and of a kind that no target is of nothing is loaded: the
 * clients of two of them take half a second, which a start does not have.
 * @throws Error when two targets have one id, or when the audience is ourselves: a token for a tool must be good for nothing at the broker
 */
export async function openProviders(
  targets: readonly TargetSettings[],
  log: Log,
  means: ProviderMeans,
): Promise<Map<string, CredentialProvider>> {
  const ourselves = means.signer === undefined ? undefined : placeOfAudience(means.signer.issuer);
  const taken = new Set<string>();
  for (const target of targets) {
    if (taken.has(target.id) || placesOf(target).some((place) => place === ourselves))
      throw new Error(`target \`${target.id}\` is configured twice, or is for tokens to ourselves`);
    taken.add(target.id);
  }
  const opened = targets.map(
    async (target) => [target.id, await open(target, log.child({ target: target.id }), means)] as const,
  );
  return new Map(await Promise.all(opened));
}

/**
 * Targets that would share their principals or their tokens with another one: one namespace at one place, or one audience. Nothing may be
 * issued at any of them until that is mended, for nobody knows which is meant; what they lent is cut all the same. By target id.
 */
export function clashesOf(targets: readonly TargetSettings[]): ReadonlyMap<string, TargetFinding> {
  const clashes = new Map<string, TargetFinding>();
  for (const target of targets) {
    const places = new Set(placesOf(target));
    const other = targets.find(
      (each) => each.id !== target.id && placesOf(each).some((place) => places.has(place)),
    );
    if (other !== undefined) clashes.set(target.id, clashWith(other));
  }
  return clashes;
}

const clashWith = ({ id }: TargetSettings): TargetFinding => ({
  code: 'ERR_TARGET_NAME_TAKEN',
  what: `the target ${id} is at the same place, and has the same namespace or audience`,
  how: 'give each of the two a namespace (tokens: an audience) of its own in targets.yaml, or take one of them out, and start the services again',
});

async function open(target: TargetSettings, log: Log, means: ProviderMeans): Promise<CredentialProvider> {
  switch (target.provider) {
    case 'postgres':
      return (await import('./postgres/postgres-provider.js')).openPostgres(target, log);
    case 'jwt':
      return (await import('./jwt/jwt-provider.js')).openJwt(target, log, means);
    case 'redis':
      return (await import('./redis/redis-provider.js')).openRedis(target, log);
    case 'kafka':
      return (await import('./kafka/kafka-provider.js')).openKafka(target, log);
    default:
      return unreachable(target);
  }
}

function placesOf(target: TargetSettings): string[] {
  if (target.provider === 'jwt') return [placeOfAudience(target.audience)];
  if (target.provider === 'kafka')
    return target.connection.brokers.map((broker) => JSON.stringify([broker, target.namespace]));
  const servers = target.provider === 'redis' ? target.nodes : [target.connection];
  return servers.map(({ host, port }) => JSON.stringify([host, port, target.namespace]));
}

const placeOfAudience = (audience: string) => JSON.stringify(['audience', audience]);
