/** Keeps the benchmarks from rotting: their smallest size runs through, and loses nothing. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..');

it('the benchmarks run through at their smallest size', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['bench/run.mjs', '--smoke'], { cwd: root });

  expect(stdout).toMatch(/decide, 1 round/);
  expect(stdout).toMatch(/flips missing or too many +0 \(0 … 0\)/);
  expect(stdout).toMatch(/lost +0 \(0 … 0\)/);
  expect(stdout).toMatch(/session dead p50Ms/);
  expect(stdout).toMatch(/amended: session dead p50Ms/);
  expect(stdout).toMatch(/suspended: session dead p50Ms/);
  expect(stdout).toMatch(/under 10 descendants: session dead lastMs/);
  expect(stdout).toMatch(/10 leases: last cut ms/);
  expect(stdout).toMatch(/Q2 access held at an instant p95Ms/);
  expect(stdout).toMatch(/audit-ingest, 1 round.*[^]*lost +0 \(0 … 0\)/);
  expect(stdout).toMatch(/5 at one moment: late p99Ms/);
}, 360_000);
