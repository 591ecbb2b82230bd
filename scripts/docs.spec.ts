/** What the documentation says of the code is still there: files, links, names in files, titles of specs, codes, variables. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REFUSAL_CODES } from '#events/refusal.js';

const root = join(import.meta.dirname, '..');
const text = (path: string) => readFileSync(join(root, path), 'utf8');
const below = (folder: string, ending: RegExp): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => ending.test(path))
    .map((path) => join(folder, path))
    .sort();

const PAGES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...below('docs', /\.md$/)];
/** Examples in fences are not about this repository's files. */
const prose = (page: string) => text(page).replace(/^(```+)[^\n]*\n[\s\S]*?^\1\s*$/gm, '');
const found = (page: string, pattern: RegExp) => [...prose(page).matchAll(pattern)];

/** All that `a/{b,c}/*.ts` stands for, as patterns of whole paths. */
function expand(path: string): string[] {
  const braces = /\{([^{}]*)\}/.exec(path);
  if (braces === null) return [path];
  const [whole, inner = ''] = braces;
  return inner.split(',').flatMap((part) => expand(path.replace(whole, part)));
}

function exists(path: string): boolean {
  if (!path.includes('*')) return existsSync(join(root, path));
  const folder = dirname(path.slice(0, path.indexOf('*') + 1));
  const escaped = path.replace(/[.+?^$()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*');
  return (
    existsSync(join(root, folder)) && below(folder, /./).some((each) => RegExp(`^${escaped}$`).test(each))
  );
}

const isFile = (path: string) => statSync(join(root, path), { throwIfNoEntry: false })?.isFile() === true;

const PATH = '(?:apps|libs|scripts|deploy|test|docs)/[^`\\s]*';

describe.each(PAGES)('%s', (page) => {
  it('names files that exist', () => {
    const missing = found(page, new RegExp(`\`(${PATH})\``, 'g'))
      .flatMap(([, path = '']) => expand(path))
      .filter((path) => !path.includes('<') && !exists(path));
    expect(missing).toEqual([]);
  });

  it('links to files that exist', () => {
    const broken = found(page, /\]\(([^)\s]+)\)/g)
      .map(([, target = '']) => target.replace(/#.*$/, ''))
      .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(join(root, dirname(page), target)));
    expect(broken).toEqual([]);
  });

  it('finds `name` in `file` where it says so', () => {
    const gone = found(page, new RegExp(`\`([^\`]+)\`\\s+in\\s+\`(${PATH})\``, 'g')).filter(
      ([, name = '', path = '']) => isFile(path) && !text(path).includes(name),
    );
    expect(gone.map(([whole]) => whole)).toEqual([]);
  });

  it('quotes titles of specs as they are', () => {
    const gone = found(page, new RegExp(`\`(${PATH}\\.ts)\`\\s+“([^”]+)”`, 'g')).filter(
      ([, path = '', title = '']) => isFile(path) && !text(path).includes(title.replace(/\s+/g, ' ')),
    );
    expect(gone.map(([whole]) => whole)).toEqual([]);
  });
});

it('explains every refusal code, and none that does not exist', () => {
  const section = text('docs/reference/errors.md').split('\n## ')[1] ?? '';
  const explained = [...section.matchAll(/^\| `(ERR_[A-Z_]+)` \|/gm)].map(([, code]) => code);
  expect(explained.toSorted()).toEqual([...REFUSAL_CODES].sort());
});

it('explains every variable of the sample configuration', () => {
  const files = below('deploy/sample', /\.yaml$/);
  const used = files.flatMap((file) =>
    [...text(file).matchAll(/\$\{([A-Z_]+)/g)].map(([, name = '']) => name),
  );
  const page = text('docs/reference/configuration.md');
  const left = [...new Set(used)].filter((name) => name !== 'NAME' && !page.includes(`\`${name}\``));
  expect(left).toEqual([]);
});

it('explains every metric and every reason for not being ready, and none that does not exist', () => {
  const sources = [...below('apps', /\.ts$/), ...below('libs', /\.ts$/)].filter(
    (path) => !/\.(spec|contract)\./.test(path),
  );
  const named = sources.flatMap((path) => [
    ...text(path).matchAll(/name: '([a-z_]+)',\s+help:|\bcount\(\s*'([a-z_]+)'/g),
  ]);
  const metrics = named.map(([, name, counted]) => name ?? counted ?? '');
  const page = text('docs/reference/metrics.md');
  const tables = page.slice(page.indexOf('\n## Metrics'));
  const explained = [...tables.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name = '']) => name);
  expect(metrics.length).toBeGreaterThan(10);
  expect(explained.toSorted()).toEqual([...new Set(metrics)].sort());

  const phrases = [...page.slice(0, page.indexOf('\n## Metrics')).matchAll(/^\| (`[^|]*`) \|/gm)]
    .flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)])
    .map(([, phrase = '']) => phrase);
  const code = sources.map(text).join('\n');
  expect(phrases.length).toBeGreaterThan(5);
  expect(phrases.filter((phrase) => !code.includes(`'${phrase}'`))).toEqual([]);
});
