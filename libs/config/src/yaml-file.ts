/** A YAML file that knows its lines: every complaint about it names file, line and key. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import { ConfigError, type ConfigErrorCode } from './config-error.js';
import type { Path } from './interpolate.js';

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
  static async read(file: string): Promise<YamlFile> {
    const bytes = await readFile(file).catch((cause: unknown) => {
      throw missing(file, cause);
    });
    return YamlFile.parse(file, bytes);
  }

  /** As `read`, for a start that has nothing else to do. */
  static readSync(file: string): YamlFile {
    let bytes: Buffer;
    try {
      bytes = readFileSync(file);
    } catch (cause) {
      throw missing(file, cause);
    }
    return YamlFile.parse(file, bytes);
  }

  private static parse(file: string, bytes: Buffer): YamlFile {
    const lines = new LineCounter();
    const document = parseDocument(decode(file, bytes), { lineCounter: lines, prettyErrors: false });
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

const missing = (file: string, cause: unknown) =>
  new ConfigError('cannot be read', { code: 'ERR_CONFIG_MISSING', file }, { cause });

function decode(file: string, bytes: Buffer): string {
  if (bytes.length > MAX_FILE_BYTES)
    throw new ConfigError('larger than 1 MiB', { code: 'ERR_CONFIG_SYNTAX', file });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigError('not UTF-8', { code: 'ERR_CONFIG_SYNTAX', file }, { cause });
  }
}
