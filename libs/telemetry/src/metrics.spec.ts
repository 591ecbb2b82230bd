import { createMetrics, Metrics } from './metrics.js';

describe('metrics', () => {
  it('count, with the service as a label', async () => {
    const metrics = new Metrics('broker');
    const calls = metrics.counter({ name: 'calls_total', help: 'Calls decided.', labels: ['decision'] });

    calls.inc({ decision: 'permit' });
    calls.inc({ decision: 'permit' }, 2);

    expect(await metrics.text()).toContain('mayfly_calls_total{decision="permit",service="broker"} 3');
  });

  it('observe latencies in seconds', async () => {
    const metrics = new Metrics('broker');
    const latency = metrics.histogram({ name: 'call_seconds', help: 'Time of a call.' });

    latency.observe(0.007);

    expect(await metrics.text()).toContain('mayfly_call_seconds_bucket{le="0.005",service="broker"} 0');
    expect(await metrics.text()).toContain('mayfly_call_seconds_bucket{le="0.01",service="broker"} 1');
  });

  it('read a gauge at each scrape', async () => {
    const metrics = new Metrics('broker');
    let ageS = 1;
    metrics.gauge({ name: 'outbox_age_seconds', help: 'Age of the oldest record.', read: () => ageS });
    expect(await metrics.text()).toContain('mayfly_outbox_age_seconds{service="broker"} 1');

    ageS = 2;

    expect(await metrics.text()).toContain('mayfly_outbox_age_seconds{service="broker"} 2');
  });

  it('of two services in one process do not meet', async () => {
    new Metrics('a').counter({ name: 'calls_total', help: 'Calls.' }).inc();

    expect(await new Metrics('b').text()).not.toContain('mayfly_calls_total');
  });

  it('know the process', async () => {
    expect(await createMetrics('broker').text()).toContain('nodejs_eventloop_lag_seconds');
  });
});
