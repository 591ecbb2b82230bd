/** Whether broker, revoker, auditor and signer say that they are ready. */
import { PROCESSES, type ProcessName } from '#config/process-name.js';
import { fail, ok, warn, wordsOf } from './finding.js';
import type { Finding } from './finding.js';

const WITHIN_MS = 5_000;

/** @param addresses `http://host:port` of each */
export function serviceFindings(addresses: Record<ProcessName, string>): Promise<Finding[]> {
  return Promise.all(PROCESSES.map((service) => serviceFinding(service, addresses[service])));
}

async function serviceFinding(service: ProcessName, address: string): Promise<Finding> {
  try {
    const response = await fetch(new URL('/health/ready', address), {
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    if (response.ok) return readyFinding(service, address, (await response.json()) as { remarks?: string[] });
    const text = (await response.text()).slice(0, 500);
    return fail(
      service,
      `not ready (${response.status}): ${text}`,
      'its log says more: logs/ in the state folder',
    );
  } catch (error) {
    return fail(service, `${address}: ${wordsOf(error)}`, 'npm start');
  }
}

const readyFinding = (service: ProcessName, address: string, { remarks = [] }: { remarks?: string[] }) =>
  remarks.length === 0
    ? ok(service, `ready at ${address}`)
    : warn(service, `ready at ${address}, but ${remarks.join('; ')}`, 'see above, and its log');
