/** What goes wrong in which round; see plan.mjs. */
import type { Service } from '../scripts/start/stack.mjs';

/** Something that goes wrong. What it names beside its kind depends on the kind. */
export interface Accident {
  kind: string;
  service?: Service;
  point?: string;
  again?: string;
  at?: string;
  how?: string;
  nth?: number;
  afterMs?: number;
  withinMs?: number;
}

export const SERVICES: readonly Service[];
export const SUITES: readonly string[];
export const KINDS: readonly string[];
/** And those that are not in the mix. */
export const ASKED_FOR: readonly string[];
export function matrix(of?: { suite?: string; kind?: string }): Accident[];
/** How many milliseconds the rounds of the short set wait for what is usually there at once. */
export const PATIENT_MS: number;
/** Every point once, at one of its services, up to three processes in a round; then a round or two of each other kind. */
export function shortSet(): Accident[][];
export function shuffled(of: { suite: string; kind: string; seed: number }): Generator<Accident, void>;
export function nameOf(accident: Accident): string;
export function randomFrom(seed: number): () => number;
