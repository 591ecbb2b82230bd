/** The sample's policies and catalogue in folders of their own, which brokers watch. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderStates } from '#policy/folder-watch.js';
import { loadCatalogue } from '#policy/load-catalogue.js';
import { PolicySet } from '#policy/policy-set.js';
import { catalogueMeasures } from '#service/catalogue-measures.js';
import { Metrics } from '#telemetry/metrics.js';
import { confirmingBy } from '../src/policy/confirming.js';
import { policyMeasures } from '../src/policy/policy-measures.js';
import { RulesReload } from '../src/policy/reload-rules.js';
import type { BrokerProcess } from './harness.js';

const TARGET = {
  ...{ MAYFLY_TARGET_HOST: '127.0.0.1', MAYFLY_TARGET_PORT: '7433', MAYFLY_TARGET_DATABASE: 'shop' },
  ...{ MAYFLY_TARGET_USER: 'mayfly_broker', MAYFLY_TARGET_PASSWORD: '0042' },
};

export class RulesFolders {
  private constructor(private readonly root: string) {}

  /** Without the tests of the policies. */
  static async copy(): Promise<RulesFolders> {
    const folders = new RulesFolders(await mkdtemp(join(tmpdir(), 'mayfly-rules-')));
    for (const name of ['policy', 'catalogue'])
      await cp(join('deploy/sample', name), folders.file(name), { recursive: true });
    await rm(folders.file('policy/tests'), { recursive: true });
    return folders;
  }

  /** @param path `policy/guards.cedar` */
  file(path: string): string {
    return join(this.root, path);
  }

  async edit(path: string, from: string | RegExp, to: string): Promise<void> {
    const text = await readFile(this.file(path), 'utf8');
    const edited = text.replace(from, to);
    if (edited === text) throw new Error(`${path} has no ${from}`);
    await writeFile(this.file(path), edited);
  }

  /** As `openParts` does it. */
  async watchedBy({ parts }: BrokerProcess, metrics = new Metrics('broker')): Promise<RulesReload> {
    const folders = { policy: this.file('policy'), catalogue: this.file('catalogue') };
    const seen = await folderStates(folders);
    const { catalogue, targets: opened } = await loadCatalogue(folders.catalogue, TARGET);
    const policy = policyMeasures(metrics);
    const confirming = confirmingBy({ by: 'compiled', confirmOneIn: 100 }, parts.log, policy);
    const loaded = await PolicySet.load(folders.policy, catalogue, confirming);
    parts.judge = loaded;
    parts.catalogue = catalogue;
    return new RulesReload(parts, {
      ...{ folders, env: TARGET, loaded, seen, opened },
      ...(confirming === undefined ? {} : { confirming }),
      measures: { policy, catalogue: catalogueMeasures(metrics) },
    });
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true });
  }
}

/** Twice, for a folder that still changes is let alone. */
export async function look(rules: RulesReload): Promise<void> {
  await rules.turn();
  await rules.turn();
}
