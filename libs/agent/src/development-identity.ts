/** Any identity of the development trust domain: what `npm start` trusts, and production refuses. */
import { mintSvid } from '#identity/development/mint-svid.js';
import type { IdentitySource } from './identity-source.js';

const TTL_S = 300;

/** Needs MAYFLY_ENV=development. @param stateDir of the running `npm start`, where the domain's key is */
export const developmentIdentity =
  (
    id: string,
    { stateDir, env = process.env }: { stateDir: string; env?: NodeJS.ProcessEnv },
  ): IdentitySource =>
  (audience) =>
    mintSvid({ stateDir, id, audience, ttlS: TTL_S, env });
