/** The services that write records of ours; each signs with its own key. */
export const SERVICES = ['broker', 'revoker', 'auditor'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** `ce_source` and `actor` of a service's records. */
export const serviceSource = (service: ServiceName) => `//mayfly/${service}`;
