/** What is measured of anchors. */
import type { Metrics } from '#telemetry/metrics.js';
import type { AnchorCode } from './anchor.js';

export interface AnchorMeasures {
  attempted: (anchor: string, code: AnchorCode | undefined) => void;
  stands: (anchor: string, how: { lacksForMs: number; isContradicted: boolean }) => void;
}

export function anchorMeasures(metrics: Metrics): AnchorMeasures {
  const attempts = metrics.counter({
    name: 'audit_anchor_attempts_total',
    help: 'Heads brought to an anchor, by outcome.',
    labels: ['anchor', 'outcome'],
  });
  const behind = metrics.gauge({
    name: 'audit_anchor_behind_seconds',
    help: 'How long an anchor has lacked the newest head.',
    labels: ['anchor'],
  });
  const contradicted = metrics.gauge({
    name: 'audit_anchor_contradicted',
    help: '1 while an anchor holds another history of the log.',
    labels: ['anchor'],
  });
  return {
    attempted: (anchor, code) => attempts.inc({ anchor, outcome: code ?? 'reached' }),
    stands: (anchor, { lacksForMs, isContradicted }) => {
      behind.set({ anchor }, lacksForMs / 1_000);
      contradicted.set({ anchor }, isContradicted ? 1 : 0);
    },
  };
}
