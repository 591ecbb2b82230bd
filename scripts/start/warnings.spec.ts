import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '#telemetry/log.js';
import { warningsOf } from './warnings.mjs';

const BEGAN_MS = Date.parse('2026-01-01T00:00:00Z');

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-warnings-'));
  file = join(folder, 'broker.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a service writes of these, as it writes it. */
function logged(write: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = [];
  write(createLog('broker', { write: (line) => void lines.push(line) }));
  return lines.join('');
}

describe('warningsOf', () => {
  test('shows what a service warned of and what went wrong, and no news', () => {
    writeFileSync(
      file,
      logged((log) => {
        log.info({}, 'ready');
        log.warn({ leaseId: 'a' }, 'create refused by target');
        log.error({}, 'the outcome of a lease could not be stored');
      }),
    );
    expect(warningsOf('broker', file, BEGAN_MS)).toEqual([
      expect.stringMatching(/broker .*create refused by target/),
      expect.stringMatching(/broker .*the outcome of a lease could not be stored/),
    ]);
  });

  test('shows nothing of before, and passes over what is no line of a log', () => {
    const [before] = logged((log) => log.warn({}, 'long ago')).split('\n');
    writeFileSync(
      file,
      `${before?.replace(/"time":"[^"]+"/, '"time":"2025-12-31T00:00:00Z"')}\nTrace: something\n`,
    );
    expect(warningsOf('broker', file, BEGAN_MS)).toEqual([]);
  });
});
