import { hasher } from '../node/hasher.js';
import { consistencyProbes, inclusionProbes } from '../spec/published-probes.js';
import { toBase64 } from './base64.js';
import { verifyConsistency, verifyInclusion } from './verify.js';

/** A root of 12 bytes, "don't care 2", which a verifier of SHA-256 trees is right to refuse. */
const EXCEPTION = 'consistency/additional/sizes-are-equal-one-and-proof-is-empty';

it('answers all 98 published inclusion probes as published', () => {
  const probes = inclusionProbes();
  expect(probes).toHaveLength(98);
  expect(probes.filter(({ good }) => good)).toHaveLength(6);
  const otherwise = probes.filter((probe) => verifyInclusion(hasher, probe).ok !== (probe.good ?? false));
  expect(otherwise.map(({ name }) => name)).toEqual([]);
});

it('answers 97 of the 98 published consistency probes as published, and refuses a root of 12 bytes', () => {
  const probes = consistencyProbes();
  expect(probes).toHaveLength(98);
  expect(probes.filter(({ good }) => good)).toHaveLength(6);
  const otherwise = probes.filter((probe) => verifyConsistency(hasher, probe).ok !== (probe.good ?? false));
  expect(otherwise.map(({ name }) => name)).toEqual([EXCEPTION]);
});

describe('probes as their files have them', () => {
  it('inclusion/1/inserted-component', () => {
    const probe = inclusionProbes().find(({ name }) => name === 'inclusion/1/inserted-component');
    expect(probe).toMatchObject({ index: 0n, size: 8n });
    expect([probe?.root, probe?.leafHash, ...(probe?.proof ?? [])].map((hash) => toBase64(hash!))).toEqual([
      'XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=',
      'bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=',
      'lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=',
      'q6yroAAAAAAAAAAAAAAAAAAAAAAAAAAAAGAGHgASNFY=',
      'Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=',
      'a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=',
    ]);
  });

  it('inclusion/0/leafIndex---1', () => {
    const probe = inclusionProbes().find(({ name }) => name === 'inclusion/0/leafIndex---1');
    expect(probe).toMatchObject({ index: 18446744073709551615n, size: 1n, proof: [] });
    expect(toBase64(probe!.root)).toBe('bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=');
  });

  it('consistency/1/preceding-garbage', () => {
    const probe = consistencyProbes().find(({ name }) => name === 'consistency/1/preceding-garbage');
    expect(probe).toMatchObject({ size1: 1n, size2: 8n });
    expect([probe?.root1, probe?.root2, ...(probe?.proof ?? [])].map((hash) => toBase64(hash!))).toEqual([
      'bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=',
      'XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=',
      '',
      'lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=',
      'Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=',
      'a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=',
    ]);
  });
});
