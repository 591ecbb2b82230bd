/** Whom we believe: the issuers of the configuration with the keys in their bundles. */
import { parseBundle } from './bundle.js';
import { IdentityError } from './errors.js';
import { ProofVerifier } from './proof.js';
import { readIdentityFile } from './signing-key.js';
import { isTrustDomain } from './spiffe-id.js';
import { SvidVerifier } from './svid.js';
import { TrustDomain } from './trust-domain.js';

/** One entry of `trust.issuers` in the configuration. */
export interface SpiffeIssuer {
  type: 'spiffe';
  trustDomain: string;
  /** File with the trust domain's SPIFFE bundle. */
  bundle: string;
  /** Plain audience of tokens meant for us; on the bus it is followed by `:jkt:<thumbprint of the proof key>`. */
  audience: string;
  /** Its key lies in a file of this machine: believed only where `environment` is `development`. */
  development?: boolean;
}

const REFRESH_AT_MOST_EVERY_MS = 1_000;
const REFRESH_AT_LEAST_EVERY_MS = 3_600_000;

export class Trust {
  readonly #issuers: readonly { domain: TrustDomain; bundleFile: string }[];
  readonly svids = new SvidVerifier();
  readonly proofs = new ProofVerifier();

  constructor(issuers: readonly { domain: TrustDomain; bundleFile: string }[]) {
    this.#issuers = issuers;
  }

  /** The trust domain of that name, if it is trusted. */
  domain(name: string): TrustDomain | undefined {
    return this.#issuers.find(({ domain }) => domain.name === name)?.domain;
  }

  /** What readiness and `doctor` say about whom this process believes. */
  get domains(): { name: string; development: boolean }[] {
    return this.#issuers.map(({ domain: { name, development } }) => ({ name, development }));
  }

  /** How often to call `refresh`: the shortest hint of the bundles, from a second to an hour. */
  get refreshEveryMs(): number {
    const hintMs = Math.min(...this.#issuers.map(({ domain }) => domain.refreshHintMs));
    return Math.min(Math.max(hintMs, REFRESH_AT_MOST_EVERY_MS), REFRESH_AT_LEAST_EVERY_MS);
  }

  /**
   * Reads the bundles again. Keys that are gone vouch for older records only; a bundle that cannot be read, or is older than
   * the one in use, changes nothing.
   * @returns what went wrong, one per bundle: to be logged, not thrown, because the other domains are refreshed all the same.
   */
  async refresh(nowMs: number): Promise<IdentityError[]> {
    const failures: IdentityError[] = [];
    for (const { domain, bundleFile } of this.#issuers) {
      try {
        domain.replace(parseBundle(await readIdentityFile(bundleFile), bundleFile), nowMs);
        this.svids.forget();
      } catch (error) {
        if (!(error instanceof IdentityError)) throw error;
        failures.push(error);
      }
    }
    return failures;
  }
}

/**
 * Reads every issuer's bundle.
 * @param environment `development` or anything else: then a development issuer is refused.
 * @throws IdentityError ERR_IDENTITY_ISSUER_INVALID, ERR_IDENTITY_DEVELOPMENT_ONLY, ERR_IDENTITY_FILE_UNREADABLE, ERR_IDENTITY_BUNDLE_INVALID
 */
export async function loadTrust(issuers: readonly SpiffeIssuer[], environment: string): Promise<Trust> {
  const loaded: { domain: TrustDomain; bundleFile: string }[] = [];
  for (const { trustDomain, bundle: bundleFile, audience, development = false } of issuers) {
    if (!isTrustDomain(trustDomain))
      throw new IdentityError('ERR_IDENTITY_ISSUER_INVALID', 'not a trust domain', { trustDomain });
    if (audience === '')
      throw new IdentityError('ERR_IDENTITY_ISSUER_INVALID', 'an issuer needs an audience', { trustDomain });
    if (loaded.some(({ domain }) => domain.name === trustDomain))
      throw new IdentityError('ERR_IDENTITY_ISSUER_INVALID', 'a trust domain is given twice', {
        trustDomain,
      });
    if (development && environment !== 'development')
      throw new IdentityError(
        'ERR_IDENTITY_DEVELOPMENT_ONLY',
        'a development issuer needs the environment development',
        { trustDomain, environment },
      );
    const bundle = parseBundle(await readIdentityFile(bundleFile), bundleFile);
    loaded.push({ domain: new TrustDomain(trustDomain, audience, development, bundle), bundleFile });
  }
  if (loaded.length === 0)
    throw new IdentityError('ERR_IDENTITY_ISSUER_INVALID', 'no issuer is trusted: nobody could be admitted');
  return new Trust(loaded);
}
