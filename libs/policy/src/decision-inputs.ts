/** The whole requests of one decision, plain JSON, kept under their digest so that it can be replayed against another policy set. */
import { hash } from 'node:crypto';
import { canonical } from '#events/jcs.js';
import type { CedarRequest } from './cedar-request.js';

export interface CallInputs {
  tool: CedarRequest;
  /** null: the tool has no dataset. */
  dataset: CedarRequest | null;
}

export interface TaskInputs {
  /** One for each agent, tool, dataset and action that is declared. */
  declarations: CedarRequest[];
}

/** `sha256:<hex>` of the inputs' canonical text (RFC 8785). */
export const inputsDigest = (inputs: object): string => `sha256:${hash('sha256', canonical(inputs))}`;
