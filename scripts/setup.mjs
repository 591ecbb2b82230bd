/**
 * `npm run setup`, and what `npm start` and `npm test` run first: installs what is missing and builds.
 *   node scripts/setup.mjs [--no-build]
 */
import { unsupported } from './setup/platform.mjs';

const reason = unsupported({ platform: process.platform, nodeVersion: process.versions.node });
if (reason !== null) {
  process.stderr.write(`mayfly: ${reason.message}. ${reason.remedy}.\n`);
  process.exit(2);
}

// Imported only now: an older Node could not even read it.
const { setUp } = await import('./setup/install.mjs');
const { report } = await import('./servers/problem.mjs');
// A signal's own default would end us without ending npm.
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.on(signal, () => process.exit(status));
}
await setUp({ build: !process.argv.includes('--no-build') }).catch((error) => {
  process.exitCode = report(error);
});
