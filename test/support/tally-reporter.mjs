/** Prints the tally as the very last line: jest writes its own summary after custom reporters, so this one waits for the exit. */
export default class TallyReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const reasons = results.testResults
      .flatMap((suite) => suite.testResults)
      .filter((test) => test.status === 'pending' || test.status === 'todo')
      .map((test) => `skipped: ${test.fullName}`);
    process.once('exit', () => {
      for (const reason of reasons) process.stdout.write(`${reason}\n`);
      process.stdout.write(`${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`);
    });
  }
}
