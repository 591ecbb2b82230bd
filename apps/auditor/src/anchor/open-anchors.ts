/** The anchors of a configuration. */
import type { MayflyConfig } from '#config/load.js';
import type { Database } from '#store/database.js';
import type { Log } from '#telemetry/log.js';
import type { Metrics } from '#telemetry/metrics.js';
import { Anchors } from './anchors.js';
import { FileAnchor } from './file-anchor.js';
import { anchorMeasures } from './measures.js';
import { WitnessAnchor } from './witness-anchor.js';

export interface AnchorSetting {
  db: Database;
  settings: MayflyConfig<'auditor'>['services']['auditor']['log']['anchors'];
  metrics: Metrics;
  log: Log;
}

/** Nothing is opened before `start`. @throws MerkleError for a witness's key that is none */
export function openAnchors({ db, settings, metrics, log }: AnchorSetting): Anchors {
  const { files, witnesses, everyMs } = settings;
  const parts = { db, warn: (fields: object, message: string) => log.warn(fields, message) };
  const anchors = [
    ...(files === undefined ? [] : [new FileAnchor(parts, files)]),
    ...witnesses.map((witness) => new WitnessAnchor(parts, witness)),
  ];
  return new Anchors({ db, anchors, log, measures: anchorMeasures(metrics), everyMs });
}
