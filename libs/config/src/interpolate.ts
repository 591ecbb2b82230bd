/**
 * `${NAME}` and `${NAME:-default}` in the texts of a configuration file, as a shell reads them: a variable set to nothing counts as unset.
 * `$${` stands for a literal `${`. Pure: the environment is an argument. Keys of maps are never interpolated.
 */
export type Env = Readonly<Record<string, string | undefined>>;
export type Path = readonly (string | number)[];

export interface Interpolated {
  /**
   * The tree with its variables filled in. A member that is empty after filling counts as not given,
   * and so does a map of which nothing is left: an optional section can be written down and stay off.
   */
  tree: unknown;
  /** Variables that are not set and have no default, where they are wanted. */
  unset: { path: Path; variable: string }[];
  /** Texts with a `${` that is no reference. */
  malformed: Path[];
  /** Whether the text at a path came, wholly or partly, from the environment. */
  filled: ReadonlySet<string>;
}

const REFERENCE = /\$\$\{|\$\{([A-Z_][A-Z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

/** A path as one string, for sets. */
export const pathKey = (path: Path): string => JSON.stringify(path);

export function interpolate(root: unknown, env: Env): Interpolated {
  const unset: Interpolated['unset'] = [];
  const malformed: Path[] = [];
  const filled = new Set<string>();

  const fill = (text: string, path: Path): string =>
    text.replace(REFERENCE, (match: string, variable: string | undefined, fallback: string | undefined) => {
      if (match === '$${') return '${';
      if (variable === undefined) {
        malformed.push(path);
        return '';
      }
      filled.add(pathKey(path));
      const value = env[variable];
      if (value !== undefined && value !== '') return value;
      if (fallback === undefined) unset.push({ path, variable });
      return fallback ?? '';
    });

  /** @returns undefined for what counts as not given. */
  const walk = (node: unknown, path: Path): unknown => {
    if (typeof node === 'string') {
      const text = fill(node, path);
      return text === '' && filled.has(pathKey(path)) ? undefined : text;
    }
    if (Array.isArray(node)) return node.map((item, index) => walk(item, [...path, index]));
    if (typeof node !== 'object' || node === null) return node;
    const before = Object.entries(node);
    const after = before
      .map(([key, value]) => [key, walk(value, [...path, key])] as const)
      .filter(([, value]) => value !== undefined);
    return before.length > 0 && after.length === 0 ? undefined : Object.fromEntries(after);
  };

  return { tree: walk(root, []), unset, malformed, filled };
}
