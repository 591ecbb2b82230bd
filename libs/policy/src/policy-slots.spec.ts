/** However the engine is given a set, it must say what it says of the whole. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalogue } from '#events/catalogue.js';
import { morePolicies } from '../../../bench/more-policies.mjs';
import { requestOf } from '../../../test/support/recorded-calls.mjs';
import { cedar } from './cedar.js';
import type { CedarRequest } from './cedar-request.js';
import type { CallInputs } from './decision-inputs.js';
import { decideCall } from './decide-call.js';
import { evaluate } from './evaluate.js';
import { loadCatalogue } from './load-catalogue.js';
import { loadPolicies } from './load-policies.js';
import type { ParsedPolicies } from './parse-policies.js';
import { slotOf } from './policy-slots.js';

const SAMPLE = 'deploy/sample/policy';
let dir: string;
let catalogue: Catalogue;
let requests: CedarRequest[];
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'mayfly-slots-'));
  cpSync(SAMPLE, dir, { recursive: true });
  ({ catalogue } = await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' }));
  const sample = await loadPolicies(SAMPLE);
  requests = Array.from({ length: 150 }, (_, n) => inputsOf(sample, n)).flatMap(({ tool, dataset }) =>
    dataset === null ? [tool] : [tool, dataset],
  );
});
afterAll(() => rmSync(dir, { recursive: true }));

const inputsOf = (policies: ParsedPolicies, n: number) =>
  decideCall(policies, requestOf(catalogue, n)).inputs as CallInputs;

function whole({ schema, texts }: ParsedPolicies, request: CedarRequest) {
  const answer = cedar.isAuthorized({
    ...request,
    ...{ schema, validateRequest: true, policies: { staticPolicies: { ...texts } } },
  });
  if (answer.type === 'failure') throw new Error('the request does not fit');
  const { decision, diagnostics } = answer.response;
  expect(diagnostics.errors).toEqual([]);
  return { outcome: decision === 'allow' ? 'permit' : 'deny', policies: [...diagnostics.reason].sort() };
}

it('a small set says what it says as a whole', async () => {
  const policies = await loadPolicies(SAMPLE);
  for (const request of requests) expect(evaluate(policies, request)).toEqual(whole(policies, request));
});

it('a large set says what it says as a whole, though the engine is given few of its policies', async () => {
  writeFileSync(join(dir, 'more.cedar'), morePolicies(160));
  const policies = await loadPolicies(dir);
  for (const request of requests.slice(0, 80))
    expect(evaluate(policies, request)).toEqual(whole(policies, request));
}, 120_000);

it('a large set says the same in every slot, however many take turns', async () => {
  const teams = Array.from({ length: 70 }, (_, n) => n);
  const rules = teams.map(
    (n) =>
      `@id("team.${n}") @reason("r") permit (principal in Mayfly::AgentGroup::"team-${n}", action == Mayfly::Action::"readDataset", resource);`,
  );
  writeFileSync(join(dir, 'more.cedar'), rules.join('\n'));
  const policies = await loadPolicies(dir);
  const [request] = requests.filter(
    ({ action, resource }) => action.id === 'readDataset' && resource.id === 'crm.orders',
  );
  const asTeam = (n: number): CedarRequest => ({
    ...request!,
    context: {
      ...request!.context,
      now: { ...(request!.context['now'] as object), calls: 0, rows: 0, drift: 0 },
    },
    entities: request!.entities.map((entity) =>
      'id' in entity.uid && entity.uid.id === request!.principal.id
        ? { ...entity, parents: [{ type: 'Mayfly::AgentGroup', id: `team-${n}` }] }
        : entity,
    ),
  });
  for (const n of [...teams, ...teams.toReversed()])
    expect(evaluate(policies, asTeam(n))).toEqual({ outcome: 'permit', policies: [`team.${n}`] });
});

it('the engine is sent no fact that no policy of the action names', async () => {
  const policies = await loadPolicies(SAMPLE);
  const [read] = requests.filter(({ action }) => action.id === 'readDataset');
  const names = slotOf(policies, read!)?.names;
  expect([...(names ?? [])].sort()).toEqual([
    'calls',
    'classification',
    'drift',
    'maxCalls',
    'maxRows',
    'now',
    'pii',
    'refused',
    'risk',
    'rows',
    'task',
    'trust',
  ]);
});

it.each([
  ['a record is compared', 'context.now == context.now'],
  ['a record is written', '{ a: context.now.calls }.a > 100'],
])('the engine is sent all facts where %s', async (_what, condition) => {
  writeFileSync(
    join(dir, 'more.cedar'),
    `@id("whole") @reason("r") permit (principal, action == Mayfly::Action::"readDataset", resource) when { ${condition} };`,
  );
  const policies = await loadPolicies(dir);
  const [read] = requests.filter(({ action }) => action.id === 'readDataset');
  expect(slotOf(policies, read!)?.names).toBeNull();
  expect(evaluate(policies, read!)).toEqual(whole(policies, read!));
});
