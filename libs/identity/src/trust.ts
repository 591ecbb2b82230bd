/** Whom we believe: the issuers of the configuration with their keys. */
import { parseBundle, parseJwks, type Bundle } from './bundle.js';
import type { IdentityError } from './errors.js';
import { fetchDocument } from './fetch-document.js';
import { TokenVerifier } from './identity-token.js';
import { demandSound, invalidIssuer, type IssuerConfig, type OidcIssuerConfig } from './issuer-config.js';
import { readKeyLocation, type KeyLocation } from './key-location.js';
import { DEFAULT_MAX_STALE_MS, KeySource, type ReadKeys } from './key-source.js';
import type { OidcIssuer } from './oidc-token.js';
import { ProofVerifier } from './proof.js';
import { readIdentityFile } from './signing-key.js';
import { mapSubjects } from './subject-rules.js';
import { TrustDomain } from './trust-domain.js';

export interface TrustedIssuer {
  source: KeySource;
  /** Absent: a SPIFFE trust domain. */
  oidc?: OidcIssuer;
}

export class Trust {
  readonly #issuers: readonly TrustedIssuer[];
  readonly tokens = new TokenVerifier();
  readonly proofs = new ProofVerifier();

  constructor(issuers: readonly TrustedIssuer[]) {
    this.#issuers = issuers;
  }

  /** The SPIFFE trust domain of that name, if it is trusted. */
  domain(name: string): TrustDomain | undefined {
    return this.#issuers.find(({ source, oidc }) => oidc === undefined && source.domain.name === name)?.source
      .domain;
  }

  /** The OIDC issuer of that `iss`, if it is trusted. */
  oidc(iss: string): OidcIssuer | undefined {
    return this.#issuers.find(({ oidc }) => oidc?.domain.name === iss)?.oidc;
  }

  /** What readiness and `doctor` say about whom this process believes. */
  get domains(): { name: string; development: boolean }[] {
    return this.#issuers.map(({ source: { domain } }) => ({
      name: domain.name,
      development: domain.development,
    }));
  }

  /** How often to call `refresh`: as often as the source that asks most often, from a second to an hour. */
  get refreshEveryMs(): number {
    return Math.min(...this.#issuers.map(({ source }) => source.refreshEveryMs));
  }

  /**
   * Reads again what is due. Keys that are gone vouch for older records only; a bundle that cannot be read, or is older than the one
   * in use, changes nothing until the one in use is too old.
   * @returns what went wrong, one per issuer: to be logged, not thrown, because the others are refreshed all the same.
   */
  async refresh(nowMs: number): Promise<IdentityError[]> {
    const outcomes = await Promise.all(
      this.#issuers.map(({ source }) => source.refresh(nowMs, () => this.tokens.forget())),
    );
    return outcomes.filter((failure) => failure !== undefined);
  }
}

/** What loading needs of the world. */
export interface TrustPorts {
  read: ReadKeys;
  nowMs: () => number;
}

/**
 * Reads every issuer's keys.
 * @param environment `development` or anything else: then a development issuer is refused.
 * @throws IdentityError ERR_IDENTITY_ISSUER_INVALID, ERR_IDENTITY_DEVELOPMENT_ONLY, ERR_IDENTITY_FILE_UNREADABLE,
 * ERR_IDENTITY_BUNDLE_INVALID, ERR_IDENTITY_FETCH_FAILED
 */
export async function loadTrust(
  issuers: readonly IssuerConfig[],
  environment: string,
  ports: Partial<TrustPorts> = {},
): Promise<Trust> {
  const { read = readKeys, nowMs = Date.now } = ports;
  const loaded: TrustedIssuer[] = [];
  for (const config of issuers) {
    const name = config.type === 'spiffe' ? config.trustDomain : config.issuer;
    demandSound(config, environment);
    if (loaded.some(({ source }) => source.domain.name === name))
      throw invalidIssuer('an issuer is given twice', { issuer: name });
    const at = readKeyLocation(config.type === 'spiffe' ? config.bundle : config.jwks, environment);
    const parse = parserOf(config, at);
    const startedAtMs = nowMs();
    const domain = new TrustDomain(
      name,
      config.audience,
      config.development === true,
      parse(await read(at, name), at.location),
    );
    const maxStaleMs = config.maxStaleMs ?? DEFAULT_MAX_STALE_MS;
    const source = new KeySource({ domain, at, parse, read, maxStaleMs }, startedAtMs);
    loaded.push(config.type === 'spiffe' ? { source } : { source, oidc: oidcOf(config, domain) });
  }
  if (loaded.length === 0) throw invalidIssuer('no issuer is trusted: nobody could be admitted');
  return new Trust(loaded);
}

function parserOf(config: IssuerConfig, at: KeyLocation): (bytes: Buffer, location: string) => Bundle {
  if (config.type === 'spiffe')
    return (bytes, location) => parseBundle(bytes, location, at.kind === 'workload_api' ? 'any' : 'jwt-svid');
  if (at.kind === 'workload_api') throw invalidIssuer('an OIDC issuer has no Workload API');
  return parseJwks;
}

function oidcOf(config: OidcIssuerConfig, domain: TrustDomain) {
  const { subjects = [], persons } = config;
  if (subjects.length === 0 && persons === undefined)
    throw invalidIssuer('an OIDC issuer needs subjects or persons', { issuer: config.issuer });
  return {
    domain,
    mapSubject: mapSubjects(subjects),
    ...(persons !== undefined && { persons }),
  };
}

/** As a service reads them. */
const readKeys: ReadKeys = async (at, domain) => {
  switch (at.kind) {
    case 'file':
      return readIdentityFile(at.location);
    case 'address':
      return fetchDocument(at.location);
    case 'workload_api':
      // gRPC is loaded by those alone who use it.
      return (await import('./workload-api/workload-api.js')).readJwtBundle(at.socket, domain);
  }
};
