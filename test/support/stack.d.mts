/** A Mayfly of its own for an end-to-end test: Kafka, both PostgreSQL clusters and the three services, as `npm start` runs them. */
import type { Addresses, Part, Service } from '../../scripts/start/stack.mjs';

export interface TestStack {
  addresses: Addresses;
  /** Connection strings: the administrator's of the database `mayfly`, the superuser's of the target's `shop`. */
  urls: { database: string; target: string };
  stateDir: string;
  /** Ends a service as an accident would (SIGKILL unless told). Resolves once it is gone, with how it ended. */
  kill(
    service: Service,
    signal?: NodeJS.Signals,
  ): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Starts a killed service again, on the port it had. Resolves once it is ready. */
  start(service: Service): Promise<void>;
  /** Everything that a part has logged so far. */
  logs(part: Part): string;
  /** Ends everything and removes the state folder. @throws when a part had ended that nobody asked to */
  stop(): Promise<void>;
}

/**
 * Brings up a stack on free ports in a temporary folder: nothing is durable, and nothing stays behind, not even after a
 * SIGKILL of the test. The services run from `dist`, so it must be built.
 * @param options.env more environment for the services. A port in it is that part's, and MAYFLY_CONFIG is another configuration than
 *   the sample's
 * @throws when a part does not become ready; the end of its log is in the message
 */
export function startStack(options?: { env?: NodeJS.ProcessEnv }): Promise<TestStack>;
