/**
 * Code that a page shows is code that is compiled, and run by its spec: what stands in a fence under `<!-- snippet: [file] name -->` is,
 * letter by letter, what stands between `// begin name` and `// end name` in that file, without the indentation that all lines have.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const SNIPPET = /<!-- snippet: (?:(\S+) )?(\S+) -->\n(?:<!-- prettier-ignore -->\n)?```ts\n([^]*?)```/g;

interface Snippet {
  file: string;
  name: string;
  text: string;
}

/** @param page path in the repository @param otherwise the file of snippets that name none */
export function snippetsOf(page: string, otherwise = ''): Snippet[] {
  const found = readFileSync(join(root, page), 'utf8').matchAll(SNIPPET);
  return [...found].map(([, file = otherwise, name = '', text = '']) => ({ file, name, text }));
}

/** How many fences of TypeScript a page has. */
export const fencesOf = (page: string): number =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/^```(?:ts|typescript)$/gm)].length;

/** @throws Error where the file has no such mark, or two of them */
export function marked({ file, name }: Pick<Snippet, 'file' | 'name'>): string {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  const at = (mark: string) => {
    const found = lines.flatMap((line, index) => (line.trim() === `// ${mark} ${name}` ? [index] : []));
    if (found.length !== 1) throw new Error(`\`// ${mark} ${name}\` is ${found.length} times in ${file}`);
    return found[0] as number;
  };
  const text = lines.slice(at('begin') + 1, at('end'));
  const indent = Math.min(...text.filter((line) => line !== '').map((line) => /^ */.exec(line)![0].length));
  return text.map((line) => `${line.slice(indent)}\n`).join('');
}

/** The specs of a page: all that it shows is compiled. */
export function itShowsCompiledCode(page: string, otherwise?: string): void {
  const snippets = snippetsOf(page, otherwise);
  for (const snippet of snippets)
    it(`${page} shows ${snippet.name} as it is compiled`, () => {
      expect(snippet.text).toBe(marked(snippet));
    });
  it(`${page} shows no code that is not compiled`, () => {
    expect(snippets).toHaveLength(fencesOf(page));
  });
}
