import { replicationOn } from './topics.js';

describe('topics are created', () => {
  it('with three copies, two of them in sync, where there are three brokers', () => {
    expect(replicationOn(3)).toEqual({ factor: 3, config: { 'min.insync.replicas': '2' } });
    expect(replicationOn(5).factor).toBe(3);
  });

  it('with one copy on an embedded broker', () => {
    expect(replicationOn(1)).toEqual({ factor: 1, config: {} });
  });
});
