import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OWN_CODES, VERIFIER_CODES, refuseRequest } from './refusal.js';

it('is explained for every code, with the status that it is answered with', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/errors.md'), 'utf8');
  const [, section = ''] = page.split('\n## Refusals of a verifier\n');
  const [table = ''] = section.split('\n## ');
  const explained = [...table.matchAll(/^\| `(ERR_[A-Z_]+)` \| (\d+) \|/gm)].map(([, code, status]) => [
    code,
    status,
  ]);
  const answered = OWN_CODES.map((code) => [code, String(refuseRequest(code, 'because').httpStatus)]);
  expect(explained).toEqual(answered);
});

it('has a challenge wherever another token would help, and none where it would not', () => {
  for (const code of VERIFIER_CODES) {
    const { httpStatus, wwwAuthenticate } = refuseRequest(code, 'because');
    expect(wwwAuthenticate === undefined).toBe(httpStatus === 503);
  }
});

it('names a code once, whoever found it', () => {
  expect(new Set(VERIFIER_CODES).size).toBe(VERIFIER_CODES.length);
});
