/**
 * Reads the catalogue folder: `orchestrators`, `operators`, `agents`, `tools`, `datasets` and `targets`, each a list in a YAML file.
 * No policy engine is loaded here: the revoker entitles senders by the catalogue alone.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Env, Path } from '#config/interpolate.js';
import { type OptionalPart, validate } from '#config/validate.js';
import { YamlFile } from '#config/yaml-file.js';
import type { Catalogue, DatasetEntry, TargetEntry, ToolEntry } from '#events/catalogue.js';
import { bindingOf } from '#providers/kafka/rights.js';
import { redisRight } from '#providers/redis/right.js';
import { isSameTarget, type TargetSettings, targetSettings } from '#providers/target-settings.js';
import { catalogueDigest } from './catalogue-digest.js';
import { catalogueSchemas } from './catalogue-schema.js';

export interface CatalogueOptions {
  /**
   * `connect` (the default): every target must say how to log in there, so its variables must be set.
   * `describe`: for those that never log in (the auditor, the command line); `targets` is then empty.
   */
  targets?: 'connect' | 'describe';
  /** What adapters are open for: no other target may be there, nor one that is reached in another way. */
  opened?: readonly TargetSettings[];
}

/**
 * @throws ConfigError naming file, line and key: a missing file, an unknown key, a bad value, an unset variable,
 * an id given twice, or a name that no other file has; ERR_CONFIG_NEEDS_RESTART for a target that is not among the opened ones.
 */
export async function loadCatalogue(
  dir: string,
  env: Env,
  { targets: wanted = 'connect', opened }: CatalogueOptions = {},
): Promise<{ catalogue: Catalogue; targets: TargetSettings[] }> {
  const read = (name: string) => YamlFile.read(join(dir, `${name}.yaml`));
  const [orchestrators, operators, agents, tools, datasets, targets] = await Promise.all([
    read('orchestrators').then((yaml) => listOf(yaml, env, catalogueSchemas.orchestrators)),
    read('operators').then((yaml) => listOf(yaml, env, catalogueSchemas.operators)),
    read('agents').then((yaml) => listOf(yaml, env, catalogueSchemas.agents)),
    read('tools').then((yaml) => listOf(yaml, env, catalogueSchemas.tools)),
    read('datasets').then((yaml) => listOf(yaml, env, catalogueSchemas.datasets)),
    read('targets').then((yaml) => listOf(yaml, env, catalogueSchemas.targets, unsetIsLeftOut)),
  ]);
  const settings = wanted === 'connect' ? validate(targets.yaml, env, z.array(targetSettings)) : [];

  orchestrators.entries.forEach((entry, index) => {
    mustExist(orchestrators, [index, 'agents'], entry.agents, agents);
    mustExist(orchestrators, [index, 'datasets'], entry.datasets, datasets);
  });
  datasets.entries.forEach((entry, index) => {
    mustExist(datasets, [index, 'target'], entry.target, targets);
    rightsFit(datasets, index, entry, targets);
  });
  tools.entries.forEach((entry, index) => ownTargetFits(tools, index, entry, targets));
  datasets.entries.forEach((entry, index) => kafkaRightsFit(datasets, index, entry, targets));
  if (opened !== undefined)
    settings.forEach((target, index) => {
      if (!opened.some((each) => isSameTarget(each, target)))
        throw targets.yaml.error(
          'ERR_CONFIG_NEEDS_RESTART',
          [index],
          'a target that is new or is another needs a restart',
        );
    });

  const content = {
    orchestrators: byId(orchestrators.entries),
    operators: byId(operators.entries),
    agents: byId(agents.entries),
    tools: byId<ToolEntry>(tools.entries),
    datasets: byId(datasets.entries.map(datasetEntry)),
    targets: byId<TargetEntry>(targets.entries),
  };
  return { catalogue: { digest: catalogueDigest(content), ...content }, targets: settings };
}

type DatasetYaml = z.infer<typeof catalogueSchemas.datasets>[number];

const datasetEntry = ({ actions, ...dataset }: DatasetYaml): DatasetEntry => ({
  ...dataset,
  actions: new Map(
    Object.entries(actions).map(([action, { rights, cedar }]) => [
      action,
      { rights, cedar: cedar ?? (action === 'read' ? 'readDataset' : 'writeDataset') },
    ]),
  ),
});

/** What a target's description leaves out may go without its variables. */
const unsetIsLeftOut: OptionalPart = (path) => path;

interface Listed<T> {
  yaml: YamlFile;
  entries: T[];
}

function listOf<T extends { id: string }>(
  yaml: YamlFile,
  env: Env,
  schema: z.ZodType<T[]>,
  optionalPart?: OptionalPart,
): Listed<T> {
  const entries = validate(yaml, env, schema, optionalPart);
  const seen = new Set<string>();
  entries.forEach(({ id }, index) => {
    if (seen.has(id)) throw yaml.error('ERR_CONFIG_INVALID', [index, 'id'], 'given twice');
    seen.add(id);
  });
  return { yaml, entries };
}

/** `name` is one name, or a list whose items are pointed at. */
function mustExist(
  from: Listed<unknown>,
  path: Path,
  name: string | readonly string[],
  to: Listed<{ id: string }>,
): void {
  const ids = new Set(to.entries.map(({ id }) => id));
  const refuse = (at: Path) =>
    from.yaml.error('ERR_CONFIG_INVALID', at, 'unknown', { wantedIn: to.yaml.file });
  if (typeof name === 'string') {
    if (!ids.has(name)) throw refuse(path);
    return;
  }
  const index = name.findIndex((item) => !ids.has(item));
  if (index >= 0) throw refuse([...path, index]);
}

/** At Redis a right says what it lends; elsewhere it is a name. */
function rightsFit(
  datasets: Listed<unknown>,
  index: number,
  { target, actions }: DatasetYaml,
  targets: Listed<TargetEntry>,
): void {
  const isRedis = targets.entries.find(({ id }) => id === target)?.provider === 'redis';
  for (const [action, { rights }] of Object.entries(actions)) {
    const wrong = rights.findIndex((right) => redisRight.safeParse(right).success !== isRedis);
    if (wrong >= 0)
      throw datasets.yaml.error(
        'ERR_CONFIG_INVALID',
        [index, 'actions', action, 'rights', wrong],
        isRedis ? 'expected keys and commands, for a redis target' : 'expected a name',
      );
  }
}

/** A tool's own target is for a tool without a dataset, and its rights are the actions' names: only a token can carry them. */
function ownTargetFits(
  tools: Listed<unknown>,
  index: number,
  { target, dataset }: { target?: string | undefined; dataset: ToolEntry['dataset'] },
  targets: Listed<TargetEntry>,
): void {
  if (target === undefined) return;
  mustExist(tools, [index, 'target'], target, targets);
  const is = targets.entries.find(({ id }) => id === target);
  if (dataset === 'required' || is?.provider !== 'jwt')
    throw tools.yaml.error(
      'ERR_CONFIG_INVALID',
      [index, 'target'],
      'only without a dataset, and of kind jwt',
    );
}

/** What the provider would refuse in a plan is said before there is one. */
function kafkaRightsFit(
  datasets: Listed<unknown>,
  index: number,
  { target, actions }: DatasetYaml,
  targets: Listed<TargetEntry>,
): void {
  if (targets.entries.find(({ id }) => id === target)?.provider !== 'kafka') return;
  for (const [action, { rights }] of Object.entries(actions)) {
    const wrong = rights.findIndex((right) => bindingOf(right, ANYBODY) === null);
    if (wrong >= 0)
      throw datasets.yaml.error(
        'ERR_CONFIG_INVALID',
        [index, 'actions', action, 'rights', wrong],
        'expected one ACL, as of a kafka target',
      );
  }
}
const ANYBODY = 'anybody';

const byId = <T extends { id: string }>(entries: readonly T[]): ReadonlyMap<string, T> =>
  new Map([...entries].sort((a, b) => (a.id < b.id ? -1 : 1)).map((entry) => [entry.id, entry]));
