/** A YAML file that knows its lines: every complaint about it names file, line and key. */
import { readFileSync } from 'node:fs';
import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import type { z } from 'zod';
import { ConfigError, type ConfigErrorCode } from './config-error.js';
import { type Env, interpolate, type Path, pathKey } from './interpolate.js';

const MAX_FILE_BYTES = 1_048_576;

export class YamlFile {
  private constructor(
    readonly file: string,
    /** The plain value, its variables not yet filled in. */
    readonly tree: unknown,
    private readonly contents: Node | null,
    private readonly lines: LineCounter,
  ) {}

  /** @throws ConfigError `ERR_CONFIG_MISSING`, `ERR_CONFIG_SYNTAX` (also for a key given twice). */
  static read(file: string): YamlFile {
    const lines = new LineCounter();
    const document = parseDocument(readText(file), { lineCounter: lines, prettyErrors: false });
    const [first] = [...document.errors, ...document.warnings];
    if (first !== undefined) {
      const line = lines.linePos(first.pos[0]).line;
      throw new ConfigError('not valid YAML', {
        code: 'ERR_CONFIG_SYNTAX',
        file,
        line,
        fields: { problem: first.code.toLowerCase().replaceAll('_', ' ') },
      });
    }
    try {
      return new YamlFile(file, document.toJS(), document.contents, lines);
    } catch (cause) {
      throw new ConfigError('too many aliases', { code: 'ERR_CONFIG_SYNTAX', file }, { cause });
    }
  }

  /** The 1-based line of a key, or of the nearest thing around it that is there. */
  lineOf(path: Path): number {
    let node: unknown = this.contents;
    let offset = this.contents?.range?.[0] ?? 0;
    for (const step of path) {
      let next: Pair | Node | undefined;
      if (isMap(node))
        next = node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(step));
      else if (isSeq(node)) next = node.items[Number(step)] as Node | undefined;
      if (next === undefined) break;
      const start = isPair(next) ? (next.key as Node) : next;
      offset = start.range?.[0] ?? offset;
      node = isPair(next) ? next.value : next;
    }
    return this.lines.linePos(offset).line;
  }

  error(code: ConfigErrorCode, path: Path, message: string, fields?: Record<string, string>): ConfigError {
    const at = path.length === 0 ? {} : { key: path.join('.') };
    return new ConfigError(message, {
      code,
      file: this.file,
      line: this.lineOf(path),
      ...at,
      ...(fields === undefined ? {} : { fields }),
    });
  }
}

/** The part of a file that may go without its variables, and is left out when it does: a path, or undefined when it may not. */
export type OptionalPart = (path: Path) => Path | undefined;

/**
 * Reads one file, fills in its variables and validates it. Text from the environment becomes a number or a boolean where the schema wants one.
 * @throws ConfigError for the first complaint in the file's order.
 */
export function readYaml<S extends z.ZodType>(
  file: string,
  env: Env,
  schema: S,
  optionalPart: OptionalPart = () => undefined,
): { value: z.infer<S>; yaml: YamlFile } {
  const yaml = YamlFile.read(file);
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
  return { value: parsed.data as z.infer<S>, yaml };
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

function readText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new ConfigError('cannot be read', { code: 'ERR_CONFIG_MISSING', file }, { cause });
  }
  if (bytes.length > MAX_FILE_BYTES)
    throw new ConfigError('larger than 1 MiB', { code: 'ERR_CONFIG_SYNTAX', file });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigError('not UTF-8', { code: 'ERR_CONFIG_SYNTAX', file }, { cause });
  }
}
