/**
 * Compiled policies at work, with the engine as their judge. In a situation that it has not decided yet the engine is asked, and then of so
 * many times once. In between, its answer is taken from the compiled policies, where they say that it is the same again. The first word of
 * theirs that the engine does not confirm is their last one.
 */
import type { CedarRequest } from '../cedar-request.js';
import { evaluate, type Evaluate, type Evaluation } from '../evaluate.js';
import type { ParsedPolicies } from '../parse-policies.js';
import { ASK_ENGINE } from './ask-engine.js';
import { CompiledPolicies } from './compiled-policies.js';

/** One for a process, whichever sets it loads. */
export interface Confirming {
  /** Of so many answers in a situation that is known the engine is asked for one; 1: for all of them. */
  confirmOneIn: number;
  /** From 0 up to 1: which one it is, nobody knows before. */
  draw?: () => number;
  /** False from the first disagreement on: then only the engine decides. */
  isTrusted: boolean;
  /** Told once. */
  onDisagreement: (about: Disagreement) => void;
}

export interface Disagreement {
  action: string;
  /** Null where the compiled policies failed. */
  presumed: Evaluation | null;
  /** Null where it is not known yet. */
  judged: Evaluation | null;
}

/** Agents, tools, datasets and actions are the catalogue's, and with the policies that fit them there are not many. */
const KNOWN_MAX = 10_000;

class ConfirmedPolicies {
  #compiled: CompiledPolicies | undefined;
  /** What the engine has decided, and the compiled policies as it did. */
  readonly #known = new Set<string>();

  constructor(
    private readonly policies: ParsedPolicies,
    private readonly confirming: Confirming,
    private readonly engine: Evaluate,
  ) {}

  evaluate(request: CedarRequest): Evaluation {
    const presumed = this.#presume(request);
    if (presumed === undefined) return this.engine(this.policies, request);
    const situation = situationOf(request, presumed);
    if (this.#known.has(situation) && !this.#isDrawn()) return presumed;
    const judged = this.engine(this.policies, request);
    if (isSame(presumed, judged)) this.#know(situation);
    else this.#giveUp({ action: request.action.id, presumed, judged });
    return judged;
  }

  /** Undefined where only the engine can say. */
  #presume(request: CedarRequest): Evaluation | undefined {
    if (!this.confirming.isTrusted) return undefined;
    try {
      this.#compiled ??= new CompiledPolicies(this.policies);
      return this.#compiled.evaluate(request);
    } catch (error) {
      if (error !== ASK_ENGINE) this.#giveUp({ action: request.action.id, presumed: null, judged: null });
      return undefined;
    }
  }

  #isDrawn(): boolean {
    const { draw = Math.random, confirmOneIn } = this.confirming;
    return draw() * confirmOneIn < 1;
  }

  #know(situation: string): void {
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.add(situation);
  }

  #giveUp(about: Disagreement): void {
    this.confirming.isTrusted = false;
    this.confirming.onDisagreement(about);
  }
}

/** Who does what to what, with which answer by which policies. */
const situationOf = ({ principal, action, resource }: CedarRequest, { outcome, policies }: Evaluation) =>
  JSON.stringify([principal, action, resource, outcome, policies]);

const isSame = (presumed: Evaluation, judged: Evaluation): boolean =>
  presumed.outcome === judged.outcome &&
  presumed.policies.length === judged.policies.length &&
  presumed.policies.every((id, n) => id === judged.policies[n]);

/** The engine alone, or compiled policies that it confirms. */
export function evaluationBy(
  policies: ParsedPolicies,
  confirming: Confirming | undefined,
  engine: Evaluate = evaluate,
): Evaluate {
  if (confirming === undefined) return engine;
  const confirmed = new ConfirmedPolicies(policies, confirming, engine);
  return (_policies, request) => confirmed.evaluate(request);
}
