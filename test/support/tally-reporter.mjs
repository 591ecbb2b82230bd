import { writeFileSync } from 'node:fs';

/** After which a run that is over, but still holds something open, ends as failed instead of never. */
const OVER_WITHIN_MS = 90_000;

/** Prints the tally as the very last line: jest writes its own summary after custom reporters, so this one waits for the exit. */
export default class TallyReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const reasons = results.testResults
      .flatMap((suite) => suite.testResults)
      .filter((test) => test.status === 'pending' || test.status === 'todo')
      .map((test) => `skipped: ${test.fullName}`);
    setTimeout(() => {
      process.stdout.write('tests are over, but something that they opened is still open\n');
      process.exit(1);
    }, OVER_WITHIN_MS).unref();
    const tally = { passed: results.numPassedTests, failed, skipped };
    // For who adds up several runs.
    if (process.env.MAYFLY_TALLY) writeFileSync(process.env.MAYFLY_TALLY, JSON.stringify(tally));
    process.once('exit', () => {
      for (const reason of reasons) process.stdout.write(`${reason}\n`);
      process.stdout.write(`${tally.passed} passed, ${failed} failed, ${skipped} skipped\n`);
    });
  }
}
