/** A loaded policy set, and the decisions it makes. Deciding is synchronous and touches nothing outside. */
import { createHash } from 'node:crypto';
import type { Catalogue } from '#events/catalogue.js';
import { ASK_ENGINE } from './compiled/ask-engine.js';
import { CompiledPolicies } from './compiled/compiled-policies.js';
import { type Confirming, evaluationBy } from './compiled/confirmed-policies.js';
import { type CallDecision, type CallRequest, decideCall, judgeCall } from './decide-call.js';
import { decideRenewal, type RenewalDecision } from './decide-renewal.js';
import { decideTask, judgeTask, type TaskDecision, type TaskRequest } from './decide-task.js';
import type { CallInputs, TaskInputs } from './decision-inputs.js';
import type { Evaluate } from './evaluate.js';
import { loadPolicies } from './load-policies.js';
import { type ApproveRequest, mayApprove } from './may-approve.js';
import type { ParsedPolicies } from './parse-policies.js';
import { PolicyError } from './policy-error.js';
import { runPolicyTests } from './policy-tests.js';

export type { CallDecision, CallRequest, TaskDecision, TaskRequest };

export class PolicySet {
  #compiled: CompiledPolicies | undefined;

  private constructor(
    private readonly policies: ParsedPolicies,
    private readonly ask: Evaluate,
  ) {}

  /**
   * Reads a policy folder and, given a catalogue, looks up the names in it and runs its tests. A set that is deciding is not disturbed.
   * @param confirming for calls by compiled policies, which the engine confirms; absent: the engine alone decides
   * @throws PolicyError listing every problem of the folder, or every test that fails or cannot be read.
   */
  static async load(dir: string, catalogue?: Catalogue, confirming?: Confirming): Promise<PolicySet> {
    const policies = await loadPolicies(dir, catalogue);
    if (catalogue !== undefined) {
      const [first, ...rest] = (await runPolicyTests(policies, catalogue, dir)).failures;
      if (first !== undefined) throw new PolicyError([first, ...rest]);
    }
    return new PolicySet(policies, evaluationBy(policies, confirming));
  }

  /** `sha256:<hex>`; comments and layout do not change it. Recorded with every decision. */
  get digest(): string {
    return this.policies.digest;
  }

  /** Ids of all policies, sorted. */
  get policyIds(): string[] {
    return [...this.policies.rules.keys()].sort();
  }

  /** SHA-256 in hex of each policy as Cedar reads it, by id: by these two sets are compared. */
  get fingerprints(): Record<string, string> {
    const hash = (content: string) => createHash('sha256').update(content).digest('hex');
    return Object.fromEntries([...this.policies.contents].map(([id, content]) => [id, hash(content)]));
  }

  decideCall(request: CallRequest): CallDecision {
    return decideCall(this.policies, request, this.ask);
  }

  decideRenewal(request: CallRequest): RenewalDecision {
    return decideRenewal(this.policies, request);
  }

  decideTask(request: TaskRequest): TaskDecision {
    return decideTask(this.policies, request);
  }

  mayApprove(request: ApproveRequest): boolean {
    return mayApprove(this.policies, request);
  }

  /** Decides recorded inputs again, perhaps of another set. @param digest of the inputs, where it is known */
  replayCall(inputs: CallInputs, digest?: string): CallDecision {
    return judgeCall(this.policies, inputs, digest);
  }

  /** What `replayCall` would say, by compiled policies: quick, and no judge. Undefined where only the engine can say. */
  presumeCall(inputs: CallInputs, digest?: string): CallDecision | undefined {
    const compiled = (this.#compiled ??= new CompiledPolicies(this.policies));
    try {
      return judgeCall(this.policies, inputs, digest, (_policies, request) => compiled.evaluate(request));
    } catch (error) {
      if (error === ASK_ENGINE) return undefined;
      throw error;
    }
  }

  replayTask(inputs: TaskInputs): TaskDecision {
    return judgeTask(this.policies, inputs);
  }
}
