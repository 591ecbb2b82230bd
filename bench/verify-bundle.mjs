/** Verifies one bundle, as `mayfly audit verify` does, and says how long it took and what memory: a process of its own, so that no other work is in it. */
import { readFileSync } from 'node:fs';
import { verifyBundleAt } from '../dist/libs/bundle/src/files/verify-bundle-at.js';
import { parseTrust } from '../dist/libs/bundle/src/trust.js';

const [bundle, policy] = process.argv.slice(2);
const trust = parseTrust(readFileSync(policy, 'utf8'));
const startMs = performance.now();
const { verdict, included } = await verifyBundleAt(bundle, trust);
const ms = performance.now() - startMs;
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
const processorMs = (userCPUTime + systemCPUTime) / 1_000;
process.stdout.write(JSON.stringify({ verdict, included, ms, processorMs, maxMiB: maxRSS / 1_024 }));
