/** Policy texts to a set that can decide: parsed, strictly validated, named and digested. Pure but for the engine. */
import { createHash } from 'node:crypto';
import type { DetailedError, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { canonical } from '#events/jcs.js';
import { cedar } from './cedar.js';
import { PolicyError, type PolicyErrorCode, type PolicyProblem } from './policy-error.js';
import { readRule, type Rule } from './rule.js';
import { positionAtByte, positionAtIndex, type SourceText } from './source-text.js';

export interface ParsedPolicies {
  schema: string;
  /** Policy text by `@id`. */
  texts: Readonly<Record<string, string>>;
  rules: ReadonlyMap<string, Rule>;
  /** `sha256:<hex>` over the schema and the policies by id, as Cedar reads them: comments and layout do not change it. */
  digest: string;
}

/**
 * @throws PolicyError listing every problem. Cedar's warnings are refused like errors: an impossible policy and a name of
 * mixed scripts are only warned about.
 */
export function parsePolicies(schema: SourceText, files: readonly SourceText[]): ParsedPolicies {
  const schemaAnswer = cedar.schemaToJson(schema.text);
  refuse(
    schemaAnswer.type === 'failure'
      ? schemaAnswer.errors.flatMap((error) => explain('ERR_POLICY_SYNTAX', schema, error))
      : schemaAnswer.warnings.flatMap((warning) => explain('ERR_POLICY_INVALID', schema, warning)),
  );

  refuse(files.flatMap((file) => check(schema.text, file)));
  const parts = files.flatMap(split);
  const problems: PolicyProblem[] = [];
  const rules = new Map<string, Rule>();
  const named: { rule: Rule; part: Part }[] = [];
  for (const part of parts) {
    const read = readRule(part.json);
    const found =
      'problems' in read
        ? read.problems
        : rules.has(read.rule.id)
          ? [`\`@id\` \`${read.rule.id}\` is given twice`]
          : [];
    problems.push(
      ...found.map((message) => ({ code: 'ERR_POLICY_ANNOTATION' as const, ...part.where, message })),
    );
    if ('problems' in read || found.length > 0) continue;
    rules.set(read.rule.id, read.rule);
    named.push({ rule: read.rule, part });
  }
  refuse(problems);

  named.sort((a, b) => (a.rule.id < b.rule.id ? -1 : 1));
  const schemaJson = schemaAnswer.type === 'success' ? schemaAnswer.json : {};
  const content = canonical([schemaJson, named.map(({ rule, part }) => [rule.id, part.json])]);
  return {
    schema: schema.text,
    texts: Object.fromEntries(named.map(({ rule, part }) => [rule.id, part.text])),
    rules,
    digest: `sha256:${createHash('sha256').update(content).digest('hex')}`,
  };
}

function check(schema: string, file: SourceText): PolicyProblem[] {
  const policies = { staticPolicies: file.text };
  const parsed = cedar.checkParsePolicySet(policies);
  if (parsed.type === 'failure')
    return parsed.errors.flatMap((error) => explain('ERR_POLICY_SYNTAX', file, error));
  const validated = cedar.validate({ schema, policies });
  const found =
    validated.type === 'failure'
      ? [...validated.errors, ...validated.warnings]
      : [
          ...[...validated.validationErrors, ...validated.validationWarnings].map(({ error }) => error),
          ...validated.otherWarnings,
        ];
  return found.flatMap((error) => explain('ERR_POLICY_INVALID', file, error));
}

interface Part {
  text: string;
  json: PolicyJson;
  where: Pick<PolicyProblem, 'file' | 'at'>;
}

/** The single policies of a file; their texts are its own, word for word. Requires a file that parses. */
function split(file: SourceText): Part[] {
  const parts = cedar.policySetTextToParts(file.text);
  if (parts.type === 'failure') throw invalid(file, parts.errors);
  const where = (text: string) => ({
    file: file.file,
    at: positionAtIndex(file.text, file.text.indexOf(text)),
  });
  return parts.policies.map((text) => {
    const answer = cedar.policyToJson(text);
    if (answer.type === 'failure') throw invalid(file, answer.errors);
    return { text, json: answer.json, where: where(text) };
  });
}

function explain(code: PolicyErrorCode, { file, text }: SourceText, error: DetailedError): PolicyProblem[] {
  const byte = error.sourceLocations?.[0]?.start;
  const problem: PolicyProblem = {
    code,
    file,
    ...(byte === undefined ? {} : { at: positionAtByte(text, byte) }),
    // Inside a file Cedar numbers the policies, which tells an operator nothing.
    message: error.message.replace(/^for policy `policy\d+`, /, ''),
    ...(error.help === null ? {} : { help: error.help }),
  };
  return [problem, ...(error.related ?? []).flatMap((related) => explain(code, { file, text }, related))];
}

const invalid = (file: SourceText, errors: DetailedError[]): PolicyError => {
  const [first, ...rest] = errors.flatMap((error) => explain('ERR_POLICY_SYNTAX', file, error));
  return new PolicyError([
    first ?? { code: 'ERR_POLICY_SYNTAX', file: file.file, message: 'does not parse' },
    ...rest,
  ]);
};

function refuse(problems: PolicyProblem[]): void {
  const [first, ...rest] = problems;
  if (first !== undefined) throw new PolicyError([first, ...rest]);
}
