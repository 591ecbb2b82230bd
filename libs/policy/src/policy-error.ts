/** What is wrong with a policy folder. Every problem found is listed, not only the first. */

/** MISSING: no folder, schema or policy · SYNTAX: does not parse · INVALID: does not fit the schema, or is warned about · ANNOTATION: ours · FAIL_OPEN: a forbid that could fail, and then forbid nothing · NAME: the catalogue has nothing of that name · TEST: a policy test failed, or cannot be read. */
export type PolicyErrorCode =
  | 'ERR_POLICY_MISSING'
  | 'ERR_POLICY_SYNTAX'
  | 'ERR_POLICY_INVALID'
  | 'ERR_POLICY_ANNOTATION'
  | 'ERR_POLICY_FAIL_OPEN'
  | 'ERR_POLICY_NAME'
  | 'ERR_POLICY_TEST';

export interface PolicyProblem {
  code: PolicyErrorCode;
  file: string;
  /** 1-based; absent for the file as a whole. */
  at?: { line: number; column: number };
  message: string;
  /** Cedar's advice: "did you mean `dataset`?" */
  help?: string;
}

export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  /** Code of the first problem. */
  readonly code: PolicyErrorCode;

  /** Requires at least one problem. */
  constructor(
    readonly problems: readonly [PolicyProblem, ...PolicyProblem[]],
    options?: ErrorOptions,
  ) {
    super(problems[0].message, options);
    this.code = problems[0].code;
  }
}

/** One line for each problem: `guards.cedar:12:7: attribute … not found; did you mean …? (ERR_POLICY_INVALID)`. */
export const policyErrorLines = (error: PolicyError): string[] => error.problems.map(problemLine);

function problemLine({ code, file, at, message, help }: PolicyProblem): string {
  const where = at === undefined ? file : `${file}:${at.line}:${at.column}`;
  const text = [message, help].filter((part) => part !== undefined).join('; ');
  return `${where}: ${text.replaceAll(/\s*\n\s*/g, ' ')} (${code})`;
}
