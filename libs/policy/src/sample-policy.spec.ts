import { loadCatalogue } from './load-catalogue.js';
import { loadPolicies } from './load-policies.js';
import { runPolicyTests } from './policy-tests.js';

const DIR = 'deploy/sample/policy';

it('decides the sample as its policy tests say, and leaves no policy untested', async () => {
  const { catalogue } = await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' });
  const policies = await loadPolicies(DIR);

  const report = await runPolicyTests(policies, catalogue, DIR);

  expect(report).toMatchObject({ failures: [], untested: [] });
  expect(policies.rules.size).toBeGreaterThanOrEqual(12);
  expect(report.passed).toBeGreaterThanOrEqual(40);
});
