/** `mayfly policy test`: runs the tests beside the policies, and says which policies none of them would notice the change of. */
import { join } from 'node:path';
import type { PolicyTestReport, TestedCase, TestedFile } from '#policy/policy-tests.js';
import { CliError } from '../failure.js';
import type { CommandContext } from './context.js';
import {
  catalogueBeside,
  counted,
  policiesIn,
  policyFolder,
  type PolicyFolderOptions,
} from './policy-folder.js';

export async function policyTest(options: PolicyFolderOptions, context: CommandContext): Promise<void> {
  const { env, output } = context;
  const dir = policyFolder(options, env);
  const catalogue = await catalogueBeside(dir, options, env);
  const policies = await policiesIn(dir, catalogue, context);
  const { runPolicyTests } = await import('#policy/policy-tests.js');
  const report = await runPolicyTests(policies, catalogue, dir);

  const { passed, failures, untested, files } = report;
  output.answer(textOf(report, policies.rules.size), {
    ok: failures.length === 0,
    ...{ dir, digest: policies.digest, policies: policies.rules.size },
    ...{ passed, failed: failures.length, untested, files },
  });
  if (passed + failures.length === 0) output.remark(`no test: write ${join(dir, 'tests')}/*.yaml`);
  if (failures.length > 0)
    throw new CliError('ERR_CLI_CHECKS_FAILED', `${failures.length} of ${passed + failures.length} failed`);
}

function textOf({ passed, failures, untested, files }: PolicyTestReport, policies: number): string {
  const unnoticed = ['no test would notice a change of', ...untested.map((id) => `  ${id}`), ''];
  return [
    ...files.flatMap((file) => [...fileLines(file), '']),
    ...(untested.length === 0 ? [] : unnoticed),
    `${passed} passed, ${failures.length} failed; ${counted(policies, 'policy')}, ${untested.length} without a test`,
  ].join('\n');
}

const fileLines = ({ file, problem, cases }: TestedFile): string[] => [
  file,
  ...(problem === undefined ? [] : [`  ✗ line ${problem.at?.line ?? 1}: ${problem.message}`]),
  ...cases.flatMap(caseLines),
];

const caseLines = ({ name, line, differences }: TestedCase): string[] =>
  differences.length === 0
    ? [`  ✓ ${name}`]
    : [`  ✗ ${name} (line ${line})`, ...differences.map((difference) => `      ${difference}`)];
