import type { Metrics } from './metrics.js';

/** What a service shows of itself over HTTP, without authentication. */
export interface TelemetryOptions {
  service: string;
  /** Readiness says it, so that nobody takes a development set-up, whose keys protect nothing, for the real thing. */
  environment: 'production' | 'development';
  metrics: Metrics;
  /** Why the service cannot do its work now, in short constant phrases; empty when it can. */
  readiness: () => readonly string[] | Promise<readonly string[]>;
  /** What is amiss though the service can do its work; shown beside that it is ready. */
  remarks?: (() => readonly string[]) | undefined;
  /** The public keys of the service, a JWK Set (RFC 7517 §5). Without it there is no `/.well-known/jwks.json`. */
  jwks?: object | (() => object);
}

/** Injection token of {@link TelemetryOptions}. */
export const TELEMETRY = Symbol('telemetry');
