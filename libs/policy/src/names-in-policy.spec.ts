import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalogue } from '#events/catalogue.js';
import { loadCatalogue } from './load-catalogue.js';
import { parsePolicies } from './parse-policies.js';
import { PolicyError, policyErrorLines } from './policy-error.js';
import { PolicySet } from './policy-set.js';

const SAMPLE = 'deploy/sample/policy';
const schema = { file: 'schema.cedarschema', text: readFileSync(join(SAMPLE, 'schema.cedarschema'), 'utf8') };

let catalogue: Catalogue;
beforeAll(async () => {
  ({ catalogue } = await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' }));
});

/** What is said of one policy, whose scope is on its second line and whose conditions are on its third. */
function problemsOf(scope: string, conditions = ''): string[] {
  const text = `@id("guard") @reason("no")\nforbid (${scope})\n${conditions};`;
  try {
    parsePolicies(schema, [{ file: 'p.cedar', text }], catalogue);
  } catch (error) {
    if (error instanceof PolicyError) return policyErrorLines(error);
    throw error;
  }
  return [];
}
const ANY = 'principal, action == Mayfly::Action::"readDataset", resource';
const unknown = (place: string, name: string, help: string) =>
  `p.cedar:${place}: the catalogue has no \`Mayfly::${name}\`, so this never holds; ${help} (ERR_POLICY_NAME)`;

it.each([
  [
    'a group of agents',
    ANY.replace('principal', 'principal in Mayfly::AgentGroup::"analyst"'),
    '',
    unknown('2:22', 'AgentGroup::"analyst"', 'did you mean `analysts`?'),
  ],
  [
    'a domain',
    ANY.replace(/resource$/, 'resource is Mayfly::Dataset in Mayfly::Domain::"payroll"'),
    '',
    unknown('2:92', 'Domain::"payroll"', 'it has `crm`, `hr`, `services`'),
  ],
  [
    'a dataset',
    ANY,
    'when { resource == Mayfly::Dataset::"crm.order" }',
    unknown('3:20', 'Dataset::"crm.order"', 'did you mean `crm.orders`?'),
  ],
  [
    'a tool',
    ANY,
    'unless { [Mayfly::Tool::"sql.query", Mayfly::Tool::"sql.qeury"].contains(context.tool) }',
    unknown('3:38', 'Tool::"sql.qeury"', 'did you mean `sql.query`?'),
  ],
])(
  'a name that the catalogue does not have is told, with its place: of %s',
  (_what, scope, conditions, said) => {
    expect(problemsOf(scope, conditions)).toEqual([said]);
  },
);

it('people are in no catalogue', () => {
  expect(
    problemsOf(ANY, 'when { context.task.onBehalfOf == Mayfly::Human::"user:pat@corp.example" }'),
  ).toEqual([]);
});

it('a set that names what is not there is not used', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mayfly-names-'));
  await cp(SAMPLE, folder, { recursive: true });
  const guards = readFileSync(join(SAMPLE, 'guards.cedar'), 'utf8');
  await writeFile(join(folder, 'guards.cedar'), guards.replace('Domain::"hr"', 'Domain::"hrm"'));

  await expect(PolicySet.load(folder, catalogue)).rejects.toMatchObject({ code: 'ERR_POLICY_NAME' });
  await rm(folder, { recursive: true });
});
