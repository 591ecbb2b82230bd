/** The identity that the machine's SPIFFE agent gives this process: there is no secret to begin with. */
import type { WorkloadApi } from '#identity/workload-api/workload-api.js';
import type { IdentitySource } from './identity-source.js';

/** @param spiffeId which of several; absent: the first. */
export const workloadIdentity =
  (api: Pick<WorkloadApi, 'fetchJwtSvid'>, spiffeId?: string): IdentitySource =>
  async (audience) =>
    (await api.fetchJwtSvid(audience, spiffeId)).svid;
