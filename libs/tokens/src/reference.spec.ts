/** The examples and codes of docs/reference/tokens.md are those of the code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { CLAIMS, decoded, LEASE_REVOKED, parts, sampleList, SIGNER, TASK_REVOKED } from '../test/samples.js';
import { MAX_ACCESS_TOKEN_CHARS, signAccessToken } from './access-token.js';
import { EXCHANGE_CODES, SECURITY_EVENT_CODES, STATUS_LIST_CODES, TOKEN_CODES } from './refusal.js';
import { MAX_SECURITY_EVENT_CHARS, signSessionRevoked } from './security-event.js';
import { MAX_STATUS_LIST_CHARS, signStatusList } from './status-list.js';

const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/tokens.md'), 'utf8');
const example = (name: string): unknown =>
  JSON.parse(
    new RegExp(`<!-- example: ${name} -->\\s+\`\`\`json\\n([^\`]*)\`\`\``).exec(page)?.[1] ?? 'null',
  );
const [HEADER, PAYLOAD] = [0, 1] as const;

describe('the page on tokens shows', () => {
  it.each([
    ['access-token-header', signAccessToken(CLAIMS, SIGNER), HEADER],
    ['access-token-claims', signAccessToken(CLAIMS, SIGNER), PAYLOAD],
    ['lease-revoked-claims', signSessionRevoked(LEASE_REVOKED, SIGNER), PAYLOAD],
    ['task-revoked-claims', signSessionRevoked(TASK_REVOKED, SIGNER), PAYLOAD],
  ] as const)('%s as they are made, members in this order', (name, token, part) => {
    expect(JSON.stringify(example(name), null, 2)).toBe(JSON.stringify(decoded(parts(token)[part]), null, 2));
  });

  it('status-list-claims as they are made, and a list that inflates to the same bytes', () => {
    const { list } = sampleList();
    const shown = example('status-list-claims') as { status_list: { lst: string } };
    // What zlib makes of the bytes may differ from version to version; the bytes may not.
    const made = decoded(parts(signStatusList(sampleList(), SIGNER))[PAYLOAD]) as typeof shown;
    expect(inflateSync(Buffer.from(shown.status_list.lst, 'base64url'))).toEqual(list.bytes);
    expect({ ...shown, status_list: { ...shown.status_list, lst: '' } }).toEqual({
      ...made,
      status_list: { ...made.status_list, lst: '' },
    });
  });

  it('every code, and none that does not exist', () => {
    const explained = [...page.matchAll(/^\| `(ERR_[A-Z_]+)` \|/gm)].map(([, code]) => code);
    const codes = [...TOKEN_CODES, ...STATUS_LIST_CODES, ...SECURITY_EVENT_CODES, ...EXCHANGE_CODES];
    expect(explained.toSorted()).toEqual([...codes].sort());
  });

  it('how long each kind may be', () => {
    const limits = [...page.matchAll(/^\| \[.*\| `(\S+)` .*\| ([0-9,]+) \|$/gm)].map(
      ([, typ, limit = '']) => [typ, Number(limit.replaceAll(',', ''))],
    );
    expect(limits).toEqual([
      ['at+jwt', MAX_ACCESS_TOKEN_CHARS],
      ['statuslist+jwt', MAX_STATUS_LIST_CHARS],
      ['secevent+jwt', MAX_SECURITY_EVENT_CHARS],
    ]);
  });
});
