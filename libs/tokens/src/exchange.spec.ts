import { describe, expect, it } from '@jest/globals';
import { CLAIMS, EXECUTOR, ORDERS, PARENT, PLANNER, TASK } from '../test/samples.js';
import type { AccessTokenClaims } from './access-token.js';
import type { ToolAccess } from './authorization-detail.js';
import { checkExchange } from './exchange.js';

const READ = CLAIMS.authorization_details[0] as ToolAccess;
const KEY = 'ZtpcPh7-JkxhB3Qme7kfCUxTqQw_CYIQvYDP5iHR5vA';
/** What the planner has: read and write, for two minutes, in its own task. */
const SOURCE: AccessTokenClaims = {
  ...CLAIMS,
  jti: 'source',
  client_id: PLANNER,
  act: { sub: PLANNER },
  authorization_details: [{ ...READ, actions: ['read', 'write'] }],
};
/** What the executor gets for it: read. */
const RESULT: AccessTokenClaims = { ...CLAIMS, jti: 'result', cnf: { jkt: KEY } };
const refusalOf = (changes: Partial<AccessTokenClaims>, source = SOURCE) => {
  const result = checkExchange(source, { ...RESULT, ...changes });
  return result.ok ? undefined : result.refusal.code;
};

describe('an exchange', () => {
  it('hands on a part to another actor', () => {
    expect(checkExchange(SOURCE, RESULT)).toEqual({ ok: true });
  });

  it('may be one with oneself, by the same key', () => {
    const { act, client_id, cnf } = SOURCE;
    expect(refusalOf({ act, client_id, cnf })).toBeUndefined();
    expect(refusalOf({ act, client_id, cnf: { jkt: KEY } })).toBe('ERR_EXCHANGE_KEY');
  });

  it('may go down into a child task', () => {
    const child = '01936f2e-7c4a-7e11-8a5b-00000000000c';
    const lineage = [{ taskId: child, generation: 1 }, ...SOURCE.lineage];
    expect(refusalOf({ lineage, authorization_details: [{ ...READ, task: child }] })).toBeUndefined();
  });

  it('may bind the result to arguments', () => {
    const { arguments_sha256: _free, ...free } = SOURCE;
    expect(refusalOf({ arguments_sha256: 'a'.repeat(64) }, free)).toBeUndefined();
  });

  it('may take each action from another detail', () => {
    const source = {
      ...SOURCE,
      authorization_details: [READ, { ...READ, actions: ['write'] }],
    };
    expect(
      refusalOf({ authorization_details: [{ ...READ, actions: ['write', 'read'] }] }, source),
    ).toBeUndefined();
  });

  const widened = (changes: Partial<ToolAccess>) => ({
    authorization_details: [READ, { ...READ, ...changes }],
  });
  const { dataset: _dataset, ...without } = READ;
  it.each<[string, string, Partial<AccessTokenClaims>]>([
    ['for another person', 'ERR_EXCHANGE_SUBJECT', { sub: 'user:igor@corp.example' }],
    ['of another issuer', 'ERR_EXCHANGE_SUBJECT', { iss: 'https://evil.example' }],
    ['under the same lease', 'ERR_EXCHANGE_LEASE_REUSED', { jti: SOURCE.jti }],
    ['that hides who handed on', 'ERR_EXCHANGE_ACTOR', { act: { sub: EXECUTOR } }],
    [
      'that invents one who handed on',
      'ERR_EXCHANGE_ACTOR',
      { act: { sub: PLANNER, act: { sub: EXECUTOR } } },
    ],
    ['to another actor with the old key', 'ERR_EXCHANGE_KEY', { cnf: SOURCE.cnf }],
    ['into another task', 'ERR_EXCHANGE_LINEAGE', { lineage: [{ taskId: PARENT, generation: 3 }] }],
    ['out of the parent', 'ERR_EXCHANGE_LINEAGE', { lineage: [{ taskId: TASK, generation: 1 }] }],
    [
      'into a younger generation',
      'ERR_EXCHANGE_LINEAGE',
      {
        lineage: [
          { taskId: TASK, generation: 2 },
          { taskId: PARENT, generation: 3 },
        ],
      },
    ],
    ['with another action', 'ERR_EXCHANGE_WIDENS', widened({ actions: ['read', 'delete'] })],
    ['with another tool', 'ERR_EXCHANGE_WIDENS', widened({ tool: 'mail.send' })],
    ['with another dataset', 'ERR_EXCHANGE_WIDENS', widened({ dataset: 'hr.salaries' })],
    ['with no dataset', 'ERR_EXCHANGE_WIDENS', { authorization_details: [without] }],
    ['for another place', 'ERR_EXCHANGE_WIDENS', widened({ locations: ['https://mail.corp.example'] })],
    ['free of its arguments', 'ERR_EXCHANGE_WIDENS', { arguments_sha256: undefined }],
    ['for other arguments', 'ERR_EXCHANGE_WIDENS', { arguments_sha256: 'a'.repeat(64) }],
    ['for longer', 'ERR_EXCHANGE_OUTLIVES', { exp: SOURCE.exp + 1 }],
  ])('%s is refused', (_what, code, changes) => {
    expect(refusalOf(changes)).toBe(code);
  });

  it('to a token at the source gives no more for its new audience', () => {
    expect(refusalOf({ aud: 'https://mail.corp.example' })).toBeUndefined();
    expect(RESULT.authorization_details.every(({ locations }) => locations[0] === ORDERS)).toBe(true);
  });
});
