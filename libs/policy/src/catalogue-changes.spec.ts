import type { Catalogue } from '#events/catalogue.js';
import { catalogueChanges } from './catalogue-changes.js';
import { catalogueFingerprints } from './catalogue-digest.js';
import { loadCatalogue } from './load-catalogue.js';

let sample: Catalogue;
beforeAll(async () => {
  sample = (await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' })).catalogue;
});

const PLANNER = 'spiffe://dev.mayfly/agent/planner';

it('names what came, what went and what is another, of each kind of which something is', () => {
  const agents = new Map(sample.agents);
  agents.delete(PLANNER);
  const orders = sample.datasets.get('crm.orders')!;
  const actions = new Map([...orders.actions].filter(([action]) => action === 'read'));
  const datasets = new Map([
    ...sample.datasets,
    ['crm.orders', { ...orders, actions }],
    ['crm.notes', { ...orders, id: 'crm.notes' }],
  ]);

  expect(
    catalogueChanges(
      catalogueFingerprints(sample),
      catalogueFingerprints({ ...sample, agents, datasets: datasets }),
    ),
  ).toEqual({
    agents: { added: [], removed: [PLANNER], changed: [] },
    datasets: { added: ['crm.notes'], removed: [], changed: ['crm.orders'] },
  });
});

it('names nothing where nothing is different', () => {
  expect(catalogueChanges(catalogueFingerprints(sample), catalogueFingerprints(sample))).toEqual({});
});

it('names the first of many, and says how many it leaves out', () => {
  const [agent] = [...sample.agents.values()];
  const crowd = Array.from({ length: 1_000 }, (_, n) => `spiffe://dev.mayfly/agent/n${1_000 + n}`);
  const agents = new Map(crowd.map((id) => [id, { ...agent!, id }]));

  const { agents: told } = catalogueChanges({}, catalogueFingerprints({ ...sample, agents }));

  expect(told?.added).toEqual(crowd.slice(0, 20));
  expect(told?.more).toBe(980);
});
