import { readFileSync } from 'node:fs';
import { OAUTH_CODES } from './oauth/oauth-error.js';
import { TRANSPORT_CODES } from './problems.js';

it('the reference explains every code of the transport and of OAuth', () => {
  const page = readFileSync('docs/reference/http.md', 'utf8');
  const codes = [...TRANSPORT_CODES, ...OAUTH_CODES];

  expect(codes.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});
