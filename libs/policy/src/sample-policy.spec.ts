import { loadCatalogue } from './load-catalogue.js';
import { loadPolicies } from './load-policies.js';
import { runPolicyTests } from './policy-tests.js';

const DIR = 'deploy/sample/policy';

it('decides the sample as its policy tests say, and leaves no policy untested', async () => {
  const { catalogue } = await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' });

  const report = await runPolicyTests(await loadPolicies(DIR), catalogue, DIR);

  expect(report).toMatchObject({ passed: 21, failures: [], untested: [] });
});
