/** Policy texts to a set that can decide: parsed, strictly validated, named and digested. Pure but for the engine. */
import { createHash } from 'node:crypto';
import type { DetailedError, PolicyJson, SchemaJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Catalogue } from '#events/catalogue.js';
import { canonical } from '#events/jcs.js';
import { cedar } from './cedar.js';
import { failOpen } from './fail-open.js';
import { unknownNames } from './names-in-policy.js';
import { PolicyError, type PolicyErrorCode, type PolicyProblem } from './policy-error.js';
import { readRule, type Rule } from './rule.js';
import { SchemaTypes } from './schema-types.js';
import { positionAtByte, positionAtIndex, type SourceText } from './source-text.js';

/** 1-based. */
export interface Place {
  file: string;
  line: number;
}

export interface ParsedPolicies {
  schema: string;
  /** The same, as Cedar reads it. */
  schemaJson: SchemaJson<string>;
  /** Policy text by `@id`. */
  texts: Readonly<Record<string, string>>;
  rules: ReadonlyMap<string, Rule>;
  /** Where each policy begins, by `@id`. */
  places: ReadonlyMap<string, Place>;
  /** `sha256:<hex>` over the schema and the policies by id, as Cedar reads them: comments and layout do not change it. */
  digest: string;
  /** By `@id`: the policy as Cedar reads it, by which two sets are compared. */
  contents: ReadonlyMap<string, string>;
}

/**
 * @throws PolicyError listing every problem, whatever its kind. Cedar's warnings are refused like errors: an impossible policy and
 * a name of mixed scripts are only warned about. Without a catalogue, names are not looked up.
 */
export function parsePolicies(
  schema: SourceText,
  files: readonly SourceText[],
  catalogue?: Catalogue,
): ParsedPolicies {
  const schemaAnswer = cedar.schemaToJson(schema.text);
  const resolved = cedar.schemaToJsonWithResolvedTypes(schema.text);
  const types = resolved.type === 'success' ? new SchemaTypes(resolved.json) : undefined;
  const problems: PolicyProblem[] =
    schemaAnswer.type === 'failure'
      ? schemaAnswer.errors.flatMap((error) => explain('ERR_POLICY_SYNTAX', schema, error))
      : schemaAnswer.warnings.flatMap((warning) => explain('ERR_POLICY_INVALID', schema, warning));

  const named = new Map<string, { rule: Rule; part: Part }>();
  for (const file of files) {
    const found = syntaxOf(file);
    const parts = found.length > 0 ? [] : split(file);
    if (found.length === 0 && schemaAnswer.type === 'success') found.push(...fits(schema.text, file));
    for (const part of parts) {
      const unknown = catalogue === undefined ? [] : unknownNames(part.json, part.text, catalogue);
      found.push(
        ...failOpen(part.json, part.text, types).map(placedIn(file, part, 'ERR_POLICY_FAIL_OPEN')),
        ...unknown.map(placedIn(file, part, 'ERR_POLICY_NAME')),
      );
      const read = readRule(part.json);
      const wrong =
        'problems' in read
          ? read.problems
          : named.has(read.rule.id)
            ? [`\`@id\` \`${read.rule.id}\` is given twice`]
            : [];
      found.push(
        ...wrong.map((message) => ({ code: 'ERR_POLICY_ANNOTATION' as const, ...part.where, message })),
      );
      if ('rule' in read && wrong.length === 0) named.set(read.rule.id, { rule: read.rule, part });
    }
    problems.push(...found.sort(byPlace));
  }
  refuse(problems);

  const sorted = [...named.values()].sort((a, b) => (a.rule.id < b.rule.id ? -1 : 1));
  const schemaJson = schemaAnswer.type === 'success' ? schemaAnswer.json : {};
  const content = canonical([schemaJson, sorted.map(({ rule, part }) => [rule.id, part.json])]);
  return {
    schema: schema.text,
    schemaJson,
    texts: Object.fromEntries(sorted.map(({ rule, part }) => [rule.id, part.text])),
    rules: new Map(sorted.map(({ rule }) => [rule.id, rule])),
    places: new Map(sorted.map(({ rule, part }) => [rule.id, part.place])),
    contents: new Map(sorted.map(({ rule, part }) => [rule.id, canonical(part.json)])),
    digest: `sha256:${createHash('sha256').update(content).digest('hex')}`,
  };
}

function syntaxOf(file: SourceText): PolicyProblem[] {
  const parsed = cedar.checkParsePolicySet({ staticPolicies: file.text });
  return parsed.type === 'failure'
    ? parsed.errors.flatMap((error) => explain('ERR_POLICY_SYNTAX', file, error))
    : [];
}

function fits(schema: string, file: SourceText): PolicyProblem[] {
  const validated = cedar.validate({ schema, policies: { staticPolicies: file.text } });
  const found =
    validated.type === 'failure'
      ? [...validated.errors, ...validated.warnings]
      : [
          ...[...validated.validationErrors, ...validated.validationWarnings].map(({ error }) => error),
          ...validated.otherWarnings,
        ];
  return found.flatMap((error) => explain('ERR_POLICY_INVALID', file, error));
}

const placedIn =
  (file: SourceText, part: Part, code: PolicyErrorCode) =>
  ({ index, message, help }: { index: number; message: string; help: string }): PolicyProblem => ({
    code,
    file: file.file,
    at: positionAtIndex(file.text, part.start + index),
    message,
    help,
  });

/** In the order in which an operator reads the file; Cedar's own is random. */
function byPlace({ at: a }: PolicyProblem, { at: b }: PolicyProblem): number {
  const [x, y] = [a ?? { line: 0, column: 0 }, b ?? { line: 0, column: 0 }];
  return x.line - y.line || x.column - y.column;
}

interface Part {
  text: string;
  json: PolicyJson;
  /** Index into the file's text. */
  start: number;
  where: Pick<PolicyProblem, 'file' | 'at'>;
  place: Place;
}

/** The single policies of a file; their texts are its own, word for word. Requires a file that parses. */
function split(file: SourceText): Part[] {
  const parts = cedar.policySetTextToParts(file.text);
  if (parts.type === 'failure') throw invalid(file, parts.errors);
  const ends = new Map<string, number>();
  return parts.policies.map((text) => {
    const answer = cedar.policyToJson(text);
    if (answer.type === 'failure') throw invalid(file, answer.errors);
    // The same policy may stand in it twice.
    const start = file.text.indexOf(text, ends.get(text));
    ends.set(text, start + text.length);
    const at = positionAtIndex(file.text, start);
    const where = { file: file.file, at };
    return { text, json: answer.json, start, where, place: { file: file.file, line: at.line } };
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
