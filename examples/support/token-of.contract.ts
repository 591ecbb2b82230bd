/** A token in use, as an agent would hold it, for specs of services: signed with a key that everybody knows. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ProofKey } from '#agent/proof-key.js';
import { TokenCredential } from '#agent/token-credential.js';
import { Secret } from '#providers/secret.js';
import {
  LEASE,
  NOW_MS,
  TASK,
  accessToken,
  detail,
  verifierWith,
} from '../../libs/verifier/src/verifier-world.contract.js';
import type { Life } from '#verifier/life.js';
import type { Verifier } from '#verifier/verifier.js';

export interface Granted {
  tool: string;
  dataset?: string;
  actions: string[];
  arguments_sha256?: string;
}

/** @param origin audience of the token, and where the service is */
export async function tokenFor(origin: string, granted: Granted): Promise<TokenCredential> {
  const key = ProofKey.generate();
  const { arguments_sha256, ...access } = granted;
  const { dataset: _dataset, ...base } = detail();
  const token = await accessToken({
    aud: origin,
    cnf: { jkt: key.thumbprint },
    authorization_details: [{ ...base, locations: [origin], task: TASK, ...access }],
    ...(arguments_sha256 === undefined ? {} : { arguments_sha256 }),
  });
  const opened = { kind: 'jwt', leaseId: LEASE, notAfter: '', token: new Secret(token), dpop: true } as const;
  const { signal } = new AbortController();
  const renew = () => Promise.reject(new Error('nobody renews'));
  return new TokenCredential({ opened, key, signal, renew, clock: () => NOW_MS });
}

export interface TestedService {
  origin: string;
  /** Whether leases live, from now on. */
  lives: Life;
  close: () => Promise<void>;
}

/** A service on a free port, whose verifier knows what the spec says. */
export async function startService(
  serverOf: (verifier: Verifier, origin: string) => Server,
  metadataPath?: string,
): Promise<TestedService> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const service: Omit<TestedService, 'close'> = { origin, lives: 'live' };
  const verifier = verifierWith({
    audience: origin,
    life: { lifeOf: () => service.lives },
    ...(metadataPath === undefined ? {} : { resourceMetadata: `${origin}${metadataPath}` }),
  });
  const server = serverOf(verifier, origin);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return Object.assign(service, { close });
}

/** The name must be known before the service is made. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
