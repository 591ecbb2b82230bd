import { describe, expect, it } from '@jest/globals';
import { CLAIMS, ORDERS, TASK } from '../test/samples.js';
import { covers, narrows, readAuthorizationDetails, type ToolAccess } from './authorization-detail.js';

const READ = CLAIMS.authorization_details[0] as ToolAccess;
const ACT = { audience: ORDERS, tool: 'orders.api', dataset: 'orders', action: 'read' };
const { dataset: _dataset, ...WITHOUT_DATASET } = READ;

describe('reading authorization details', () => {
  it('gives what is granted', () => {
    expect(readAuthorizationDetails([READ, WITHOUT_DATASET])).toEqual({
      ok: true,
      details: [READ, WITHOUT_DATASET],
    });
  });

  it.each([
    ['no list', READ, 'authorization details are no list, or empty'],
    ['an empty list', [], 'authorization details are no list, or empty'],
    ['seventeen', Array(17).fill(READ), 'there are too many authorization details'],
    [
      'another type',
      [{ ...READ, type: 'payment_initiation' }],
      'an authorization detail is of a type we do not know',
    ],
    ['no type', [{ ...READ, type: undefined }], 'an authorization detail is of a type we do not know'],
    [
      'a known type after which an unknown follows',
      [READ, { ...READ, type: 'x' }],
      'an authorization detail is of a type we do not know',
    ],
    [
      'a member we do not know',
      [{ ...READ, rowFilter: 'region = 5' }],
      'an authorization detail is no object, or has a member we do not know',
    ],
    [
      'a common member that we do not use',
      [{ ...READ, privileges: ['admin'] }],
      'an authorization detail is no object, or has a member we do not know',
    ],
    ['text', ['read'], 'an authorization detail is no object, or has a member we do not know'],
    [
      'two locations',
      [{ ...READ, locations: [ORDERS, 'https://mail.corp.example'] }],
      'an authorization detail is not for exactly one location',
    ],
    [
      'a location that is no list',
      [{ ...READ, locations: ORDERS }],
      'an authorization detail is not for exactly one location',
    ],
    ['no tool', [{ ...READ, tool: '' }], 'an authorization detail lacks its tool or its task'],
    ['no task', [{ ...READ, task: null }], 'an authorization detail lacks its tool or its task'],
    ['dataset null', [{ ...READ, dataset: null }], 'an authorization detail has a malformed dataset'],
    ['no action', [{ ...READ, actions: [] }], 'an authorization detail does not list its actions'],
    [
      'an action twice',
      [{ ...READ, actions: ['read', 'read'] }],
      'an authorization detail does not list its actions',
    ],
    [
      'an action that is an object',
      [{ ...READ, actions: [{}] }],
      'an authorization detail does not list its actions',
    ],
  ])('refuses %s', (_what, value, reason) => {
    expect(readAuthorizationDetails(value)).toEqual({
      ok: false,
      refusal: { code: 'ERR_TOKEN_DETAILS', reason },
    });
  });
});

describe('a detail covers', () => {
  it('the act that it names', () => {
    expect(covers(READ, ACT)).toBe(true);
  });

  it.each([
    ['another place', { ...ACT, audience: 'https://mail.corp.example' }],
    ['another tool', { ...ACT, tool: 'orders.apix' }],
    ['another dataset', { ...ACT, dataset: 'orders.archive' }],
    ['no dataset', { ...ACT, dataset: undefined }],
    ['another action', { ...ACT, action: 'write' }],
    ['a wildcard', { ...ACT, action: '*' }],
  ])('not %s', (_what, act) => {
    expect(covers(READ, act)).toBe(false);
  });

  it('without a dataset, none with one', () => {
    expect(covers(WITHOUT_DATASET, ACT)).toBe(false);
    expect(covers(WITHOUT_DATASET, { ...ACT, dataset: undefined })).toBe(true);
  });
});

describe('a detail narrows another', () => {
  const both: ToolAccess = { ...READ, actions: ['read', 'write'] };
  it('if it leaves out actions, or nothing', () => {
    expect(narrows(both, READ)).toBe(true);
    expect(narrows(both, both)).toBe(true);
  });

  it.each([
    ['adds an action', both],
    ['is for another place', { ...READ, locations: ['https://mail.corp.example'] }],
    ['is for another task', { ...READ, task: `${TASK}0` }],
    ['drops the dataset', WITHOUT_DATASET],
  ] as [string, ToolAccess][])('not if it %s', (_what, inner) => {
    expect(narrows(READ, inner)).toBe(false);
  });
});
