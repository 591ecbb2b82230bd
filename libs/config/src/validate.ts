/** From the text an operator wrote, with variables in it, to a value of a schema. */
import type { z } from 'zod';
import { type Env, interpolate, type Path, pathKey } from './interpolate.js';
import type { YamlFile } from './yaml-file.js';

/** The part of a file that may go without its variables, and is left out when it does: a path, or undefined when it may not. */
export type OptionalPart = (path: Path) => Path | undefined;

/**
 * Fills in a file's variables and validates it. Text from the environment becomes a number or a boolean where the schema wants one.
 * @throws ConfigError for the first complaint in the file's order.
 */
export function validate<S extends z.ZodType>(
  yaml: YamlFile,
  env: Env,
  schema: S,
  optionalPart: OptionalPart = () => undefined,
): z.infer<S> {
  const { tree, unset, malformed, filled } = interpolate(yaml.tree, env);
  if (malformed[0] !== undefined)
    throw yaml.error('ERR_CONFIG_VARIABLE', malformed[0], 'not a ${NAME} or ${NAME:-default}');
  const lacking: Path[] = [];
  for (const { path, variable } of unset) {
    const part = optionalPart(path);
    if (part === undefined)
      throw yaml.error('ERR_CONFIG_VARIABLE', path, 'environment variable is not set', { variable });
    lacking.push(part);
  }

  const inLacking = (path: Path) => lacking.some((part) => part.every((step, i) => path[i] === step));
  const excused = (issue: Issue) => issue.code !== 'unrecognized_keys' && inLacking(issue.path);
  coerce(tree, schema, filled);
  refuseIssues(
    yaml,
    issuesOf(schema, tree).filter((issue) => !excused(issue)),
  );
  for (const part of lacking) leaveOut(tree, part);
  const parsed = schema.safeParse(tree);
  if (!parsed.success) refuseIssues(yaml, parsed.error.issues.map(plainIssue));
  return parsed.data as z.infer<S>;
}

interface Issue {
  code: string;
  path: Path;
  message: string;
  keys: string[];
  expected: string;
}
const plainIssue = (issue: z.core.$ZodIssue): Issue => ({
  code: issue.code,
  path: issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step)),
  message: issue.message,
  keys: issue.code === 'unrecognized_keys' ? issue.keys : [],
  expected: issue.code === 'invalid_type' ? issue.expected : '',
});
const issuesOf = (schema: z.ZodType, tree: unknown): Issue[] =>
  schema.safeParse(tree).error?.issues.map(plainIssue) ?? [];

function refuseIssues(yaml: YamlFile, issues: Issue[]): void {
  const faults = issues.map((issue) => {
    const unknown = issue.code === 'unrecognized_keys';
    const path = unknown ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
    return {
      path,
      unknown,
      message: unknown ? 'unknown key' : inOurWords(issue.message),
      line: yaml.lineOf(path),
    };
  });
  const [first] = faults.sort((a, b) => a.line - b.line);
  if (first === undefined) return;
  throw yaml.error(
    first.unknown ? 'ERR_CONFIG_UNKNOWN_KEY' : 'ERR_CONFIG_INVALID',
    first.path,
    first.message,
  );
}

const inOurWords = (message: string): string =>
  message.endsWith('received undefined') ? 'missing' : message.charAt(0).toLowerCase() + message.slice(1);

function coerce(tree: unknown, schema: z.ZodType, filled: ReadonlySet<string>): void {
  for (const { path, expected } of issuesOf(schema, tree)) {
    const last = path.at(-1);
    if (last === undefined || !filled.has(pathKey(path))) continue;
    const parent = parentOf(tree, path);
    const text = parent?.[last];
    if (typeof text !== 'string' || parent === undefined) continue;
    if ((expected === 'number' || expected === 'int') && /^-?\d{1,15}$/.test(text))
      parent[last] = Number(text);
    if (expected === 'boolean' && (text === 'true' || text === 'false')) parent[last] = text === 'true';
  }
}

function leaveOut(tree: unknown, part: Path): void {
  const parent = parentOf(tree, part);
  const last = part.at(-1);
  if (parent !== undefined && last !== undefined) delete parent[last];
}

function parentOf(tree: unknown, path: Path): Record<string | number, unknown> | undefined {
  let node = tree;
  for (const step of path.slice(0, -1)) {
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, step)) return undefined;
    node = (node as Record<string | number, unknown>)[step];
  }
  return typeof node === 'object' && node !== null ? (node as Record<string | number, unknown>) : undefined;
}
