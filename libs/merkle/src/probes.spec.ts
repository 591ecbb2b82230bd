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

/** As the files have them: root and leaf hash, or both roots, and then the proof. Source: transparency-dev/merkle testdata (Apache-2.0). */
const R8 = 'XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=';
const L0 = 'bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=';
const L1 = 'lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=';
const SOME = 'q6yroAAAAAAAAAAAAAAAAAAAAAAAAAAAAGAGHgASNFY=';
const N23 = 'Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=';
const N47 = 'a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=';
const R3 = 'rra8/idLcKFPsGel5VeCZNsPqbUa9eC6FZFY8yngbnc=';
const L2 = 'ApjRIpBtz8EIkstTpzmS/FufST6kybrbJ7eRtBJ6f+c=';
const R2 = '+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU=';
const R5 = 'Tju7H3tHjc/nH7YxYxUZo7yhLJrvyhYSv85ME6hiZNQ=';
const L4 = 'vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=';
const N67 = 'yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=';
const R4 = '037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=';
const R6 = 'duZ9rbzfHhDht03cYIq9L5jfsW+851J3tSMqEn8gh+8=';
const N45 = 'DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o=';
const R7 = '3bib5AOAnjJXUNPSY814kpwpQreUKjS3fhIslZSnTIw=';
const L6 = 'sIaT7C5yFZcTBkHoIR5+7cy0wmQTlj7ubB4u0W/7Gl8=';

it.each<[string, bigint, bigint, string[]]>([
  ['inclusion/0/leafIndex---1', 18446744073709551615n, 1n, [L0, L0]],
  ['inclusion/1/inserted-component', 0n, 8n, [R8, L0, L1, SOME, N23, N47]],
  ['inclusion/1/removed-component', 0n, 8n, [R8, L0, L1, N23]],
  ['inclusion/2/wrong-leaf', 5n, 8n, [R8, 'V3JvbmdMZWFm', L4, N67, R4]],
  ['inclusion/3/treeSize-div-2', 2n, 1n, [R3, L2, R2]],
  ['inclusion/4/modified-proof[1]-bit-3', 1n, 5n, [R5, L1, L0, `V${N23.slice(1)}`, L4]],
])('rebuilds %s', (name, index, size, hashes) => {
  const probe = inclusionProbes().find((each) => each.name === name)!;
  expect([probe.index, probe.size]).toEqual([index, size]);
  expect([probe.root, probe.leafHash, ...probe.proof].map(toBase64)).toEqual(hashes);
});

it.each<[string, bigint, bigint, string[]]>([
  ['consistency/0/happy-path', 1n, 1n, [L0, L0]],
  ['consistency/1/preceding-garbage', 1n, 8n, [L0, R8, '', L1, N23, N47]],
  ['consistency/2/size1-^-2', 4n, 8n, [R6, R8, N45, N67, R4]],
  ['consistency/2/modified-proof[2]-bit-4', 6n, 8n, [R6, R8, N45, N67, `w${R4.slice(1)}`]],
  ['consistency/3/preceding-proof[0]', 2n, 5n, [R2, R5, N23, N23, L4]],
  ['consistency/4/happy-path', 6n, 7n, [R6, R7, N45, L6, R4]],
])('rebuilds %s', (name, size1, size2, hashes) => {
  const probe = consistencyProbes().find((each) => each.name === name)!;
  expect([probe.size1, probe.size2]).toEqual([size1, size2]);
  expect([probe.root1, probe.root2, ...probe.proof].map(toBase64)).toEqual(hashes);
});
