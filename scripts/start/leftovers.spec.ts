import { judge } from './leftovers.mjs';

const recorded = {
  name: 'kafka',
  pid: 4711,
  startedAt: 'boot-1:1000',
  program: 'java',
  lastSignal: 'SIGKILL',
};

describe('a process of an earlier start', () => {
  it('is gone when there is none with its number', () => expect(judge(recorded, null)).toBe('gone'));
  it('is ours when it started when ours did and runs the same program', () =>
    expect(judge(recorded, { startedAt: 'boot-1:1000', command: 'java -Xmx384m kafka.Kafka' })).toBe('ours'));
  it('is a stranger when its number was given out again', () =>
    expect(judge(recorded, { startedAt: 'boot-1:2000', command: 'java -jar somebody-elses.jar' })).toBe(
      'stranger',
    ));
  it('is a stranger after a restart of the machine, whatever it runs', () =>
    expect(judge(recorded, { startedAt: 'boot-2:1000', command: 'java -Xmx384m kafka.Kafka' })).toBe(
      'stranger',
    ));
  it('is a stranger when it runs another program', () =>
    expect(judge(recorded, { startedAt: 'boot-1:1000', command: 'sshd' })).toBe('stranger'));
});
