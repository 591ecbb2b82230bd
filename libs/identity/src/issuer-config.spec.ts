/** The issuers that the documentation shows are issuers that a service would start with. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { mayflySchema } from '#config/schema.js';
import { ISSUER_JWK, bundleOf } from '../test/fixtures.js';
import { loadTrust } from './trust.js';

const root = join(import.meta.dirname, '../../..');
const PAGES = ['docs/how-to/connect-identities.md', 'docs/reference/configuration.md'];
const snippets = PAGES.flatMap((page) =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/^```yaml\n(- type:[\s\S]*?)^```/gm)].map(
    ([, yaml = '']): [string, string] => [page, yaml],
  ),
);

it('there are issuers in the documentation', () => {
  expect(snippets.map(([page]) => page)).toEqual([...Array<string>(4).fill(PAGES[0] ?? ''), PAGES[1]]);
});

it.each(snippets)('%s shows issuers that are believed in production', async (_page, yaml) => {
  const issuers = mayflySchema.shape.trust.shape.issuers.parse(parse(yaml));
  const read = () => Promise.resolve(bundleOf(ISSUER_JWK));
  const trust = await loadTrust(issuers, 'production', { read });
  expect(trust.domains.map(({ name }) => name)).toEqual(
    issuers.map((issuer) => (issuer.type === 'spiffe' ? issuer.trustDomain : issuer.issuer)),
  );
});
