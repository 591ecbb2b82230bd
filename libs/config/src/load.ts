/** Loads `mayfly.yaml` for one process. Reads one file; touches nothing that it names. */
import { dirname, resolve } from 'node:path';
import type { Env } from './interpolate.js';
import { PROCESSES, type ProcessName } from './process-name.js';
import { type MayflyFile, mayflySchema } from './schema.js';
import { type OptionalPart, validate } from './validate.js';
import { YamlFile } from './yaml-file.js';

/** Keys made on this machine are for this machine. */
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

type Sections = MayflyFile['services'];

/**
 * The parsed tree. `services` holds the asked one, and the others only where their variables happen to be set.
 * `catalogue` and `policy` are absolute; every other path is relative to the working directory.
 */
export type MayflyConfig<S extends ProcessName | 'cli' = ProcessName | 'cli'> = Omit<
  MayflyFile,
  'services'
> & {
  services: Sections & { [N in Extract<S, ProcessName>]: NonNullable<Sections[N]> };
};

/**
 * @param service whose section must be complete: a service needs no other's variables, and the command line none.
 * @throws ConfigError naming file, line and key: no file, no YAML, an unset variable, an unknown key, a bad value,
 * a development issuer outside `environment: development`, or a service that callers reach without TLS.
 */
export function loadConfig<S extends ProcessName | 'cli'>(
  file: string,
  env: Env,
  service: S,
): MayflyConfig<S> {
  const othersSection: OptionalPart = ([root, name]) =>
    root === 'services' && name !== service && PROCESSES.some((known) => known === name)
      ? ['services', name as ProcessName]
      : undefined;
  const yaml = YamlFile.readSync(file);
  const value = validate(yaml, env, mayflySchema, othersSection);

  const asked: ProcessName | 'cli' = service;
  if (asked !== 'cli' && value.services[asked] === undefined)
    throw yaml.error('ERR_CONFIG_INVALID', ['services', service], 'missing');
  if (asked !== 'signer' && value.bus.kafka === undefined && value.bus.postgres === undefined)
    throw yaml.error('ERR_CONFIG_INVALID', ['bus'], 'neither kafka nor postgres is set');
  value.trust.issuers.forEach((issuer, index) => {
    if (issuer.development === true && value.environment !== 'development')
      throw yaml.error(
        'ERR_CONFIG_UNSAFE',
        ['trust', 'issuers', index, 'development'],
        'a development issuer needs environment: development',
      );
  });
  value.services.revoker?.caep?.receivers.forEach(({ url }, index) => {
    if (url?.startsWith('http:') === true && value.environment !== 'development')
      throw yaml.error(
        'ERR_CONFIG_UNSAFE',
        ['services', 'revoker', 'caep', 'receivers', index, 'url'],
        'beyond development only https://',
      );
  });
  value.services.broker?.notifications.forEach(({ url }, index) => {
    if (new URL(url).protocol === 'http:' && value.environment !== 'development')
      throw yaml.error(
        'ERR_CONFIG_UNSAFE',
        ['services', 'broker', 'notifications', index, 'url'],
        'beyond development only https://',
      );
  });
  value.services.auditor?.log.anchors.witnesses.forEach(({ url }, index) => {
    if (url.startsWith('http:') && value.environment !== 'development')
      throw yaml.error(
        'ERR_CONFIG_UNSAFE',
        ['services', 'auditor', 'log', 'anchors', 'witnesses', index, 'url'],
        'beyond development only https://',
      );
  });
  for (const name of PROCESSES) {
    const http = value.services[name]?.http;
    const unsafe = (message: string) =>
      yaml.error('ERR_CONFIG_UNSAFE', ['services', name, 'http', 'host'], message);
    if (http === undefined || LOOPBACK.has(http.host)) continue;
    if (value.environment === 'development') throw unsafe('development binds to loopback only');
    if (http.behindTls !== true) throw unsafe('beyond loopback only behind TLS: set behindTls where it is');
  }

  const besideFile = (path: string) => resolve(dirname(file), path);
  return {
    ...value,
    catalogue: besideFile(value.catalogue),
    policy: besideFile(value.policy),
  } as MayflyConfig<S>;
}
