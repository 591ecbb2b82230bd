/** `npm run conformance`: the whole kit for each provider, then the figures of docs/reference/revocation.md. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { SMALL, WHOLE } from '../src/conformance/harness.contract.js';
import { measureCuts } from '../src/conformance/measure.contract.js';
import { reconnectTrials } from '../src/conformance/reconnecting.contract.js';
import { SUBJECTS } from '../src/conformance/subjects.contract.js';
import { describeProvider } from '../src/provider.contract.js';
import { pageOf, type Figures, type Row } from './revocation-page.js';

const root = join(import.meta.dirname, '../../..');
const reference = join(root, 'docs/reference');
const CUTS = 200;
const WITHIN_MS = 1_800_000;

for (const [name, subject] of Object.entries(SUBJECTS)) {
  const { features, target } = subject;
  const open = () => subject.open();
  // The many trials are counted below.
  describeProvider(name, features, open, { ...WHOLE, trials: SMALL.trials });

  it(
    `${name} is measured`,
    async () => {
      const harness = await open();
      try {
        const { fencing, capabilities } = harness.revoker;
        const { trials, connections } = WHOLE;
        const measured = await measureCuts(harness, CUTS);
        const { survivors, unproven } = await reconnectTrials(harness, WHOLE);
        expect({ survivors, unproven }).toEqual({ survivors: 0, unproven: 0 });
        const reconnecting = { trials, connections, survivors };
        keep(name, { ...run(), target, fencing, capabilities, ...measured, reconnecting, live: WHOLE.live });
      } finally {
        await harness.close();
      }
    },
    WITHIN_MS,
  );
}

/** Rows of other providers stay as they are. */
function keep(name: string, row: Row): void {
  const [json, page] = [join(reference, 'revocation.json'), join(reference, 'revocation.md')];
  const earlier = existsSync(json) ? (JSON.parse(readFileSync(json, 'utf8')) as Figures) : {};
  const figures = { ...earlier, [name]: row };
  writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`);
  writeFileSync(page, pageOf(figures));
}

function run(): Pick<Row, 'at' | 'commit' | 'machine'> {
  const [first] = cpus();
  return {
    at: new Date().toISOString(),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim(),
    machine: {
      cpus: cpus().length,
      model: first?.model.trim() ?? 'unknown',
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
      load: Math.round(loadavg()[0] ?? 0),
    },
  };
}
