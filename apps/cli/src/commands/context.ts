import type { Output } from '../output.js';

/** What a command is given besides its options. */
export interface CommandContext {
  env: NodeJS.ProcessEnv;
  output: Output;
}

/** The identities of the sample that commands speak as unless told otherwise. */
export const SAMPLE_ORCHESTRATOR = 'spiffe://dev.mayfly/orchestrator/sample';
export const SAMPLE_ANALYST = 'spiffe://dev.mayfly/agent/analyst';
export const SAMPLE_OPERATOR = 'spiffe://dev.mayfly/operator/dev';

/** How long a command waits for the broker. */
export const VERDICT_WITHIN_MS = 15_000;
