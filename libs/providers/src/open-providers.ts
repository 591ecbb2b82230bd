/** The one place where a target's kind picks its adapter. */
import type { Log } from '#telemetry/log.js';
import { openPostgres } from './postgres/postgres-provider.js';
import type { CredentialProvider, ProviderKind } from './provider.js';
import type { TargetSettings } from './target-settings.js';

const OPENERS: Record<ProviderKind, (settings: TargetSettings, log: Log) => CredentialProvider> = {
  postgres: openPostgres,
};

/**
 * Opens an adapter for every target, by target id. Nothing connects before it is used.
 * @throws Error when two targets have one id, or one namespace at one place
 */
export function openProviders(targets: readonly TargetSettings[], log: Log): Map<string, CredentialProvider> {
  const places = new Set<string>();
  for (const { id, namespace, connection } of targets) {
    const place = JSON.stringify([connection.host, connection.port, namespace]);
    if (places.has(id) || places.has(place)) throw new Error(`target \`${id}\` is configured twice`);
    places.add(id).add(place);
  }
  return new Map(
    targets.map((target) => [target.id, OPENERS[target.provider](target, log.child({ target: target.id }))]),
  );
}
