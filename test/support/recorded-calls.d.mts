import type { Catalogue } from '#events/catalogue.js';
import type { CallRequest, PolicySet } from '#policy/policy-set.js';
import type { RecordedCall } from '#policy/replay/rejudge.js';

interface Pool {
  query(text: string, values: unknown[]): Promise<unknown>;
}

export function requestOf(catalogue: Catalogue, n: number): CallRequest;
export function ordinaryRequestOf(catalogue: Catalogue, n: number): CallRequest;
export function recordedCall(policies: PolicySet, catalogue: Catalogue, n: number): RecordedCall;
export function ordinaryCall(policies: PolicySet, catalogue: Catalogue, n: number): RecordedCall;
export function eventIdOf(n: number): string;
export function keepCalls(pool: Pool, calls: readonly RecordedCall[], first?: number): Promise<void>;
export function withLessDrift(guards: string): string;
export function flipsWithLessDrift(request: CallRequest): boolean;
