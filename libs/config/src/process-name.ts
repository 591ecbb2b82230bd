/** Who has a section under `services`: the services, and the signer, which says and reads nothing on the bus. */
import { SERVICES } from '#events/services.js';

export const PROCESSES = [...SERVICES, 'signer'] as const;
export type ProcessName = (typeof PROCESSES)[number];
