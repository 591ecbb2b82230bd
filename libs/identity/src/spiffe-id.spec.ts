import { describe, expect, it } from '@jest/globals';
import { isTrustDomain, trustDomainOf } from './spiffe-id.js';

describe('a SPIFFE id', () => {
  it('names its trust domain', () => {
    expect(trustDomainOf('spiffe://corp.example/agent/analyst')).toBe('corp.example');
    expect(trustDomainOf('spiffe://dev_1.corp-2/A.b_c-9')).toBe('dev_1.corp-2');
  });

  it.each([
    'spiffe://corp.example',
    'spiffe://corp.example/',
    'spiffe://corp.example/agent/',
    'spiffe://corp.example//agent',
    'spiffe://corp.example/./agent',
    'spiffe://corp.example/agent/..',
    'spiffe://Corp.example/agent',
    'spiffe://corp.example:8443/agent',
    'spiffe://user@corp.example/agent',
    'spiffe://corp.example/agent?x=1',
    'spiffe://corp.example/agent#x',
    'spiffe://corp.example/ag%65nt',
    'spiffe://corp.example/agent\n',
    'SPIFFE://corp.example/agent',
    'https://corp.example/agent',
    `spiffe://corp.example/${'a'.repeat(2048)}`,
  ])('is not %j', (id) => {
    expect(trustDomainOf(id)).toBeUndefined();
  });
});

it('a trust domain has neither port nor capitals', () => {
  expect(['corp.example', 'dev.mayfly'].every(isTrustDomain)).toBe(true);
  expect(['Corp.example', 'corp.example:1', '', 'a'.repeat(256)].some(isTrustDomain)).toBe(false);
});
