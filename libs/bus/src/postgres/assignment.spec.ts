import { assigned, type Member } from './assignment.js';

const member = (id: string, topics = ['t']): Member => ({ id, topics });
const of = (me: string, members: Member[], partitions: [string, number][]) =>
  assigned(me, members, new Map(partitions)).map(({ topic, partition }) => `${topic}/${partition}`);

describe('the partitions of a group', () => {
  it('are all of its only member', () =>
    expect(of('a', [member('a')], [['t', 3]])).toEqual(['t/0', 't/1', 't/2']));

  it('are dealt out, none twice and none forgotten, in whatever order the members are listed', () => {
    const [a, b] = [member('a'), member('b')];
    expect(of('a', [a, b], [['t', 5]])).toEqual(['t/0', 't/2', 't/4']);
    expect(of('b', [b, a], [['t', 5]])).toEqual(['t/1', 't/3']);
  });

  it('go only to who subscribes the topic', () => {
    const members = [member('a', ['t', 'u']), member('b', ['u'])];
    const topics: [string, number][] = [
      ['t', 2],
      ['u', 2],
    ];
    expect([of('a', members, topics), of('b', members, topics)].flat().sort()).toEqual([
      't/0',
      't/1',
      'u/0',
      'u/1',
    ]);
    expect(of('b', members, topics)).toEqual(['u/1']);
  });

  it('are nobody’s beyond their number', () => {
    expect(of('b', [member('a'), member('b')], [['t', 1]])).toEqual([]);
  });
});
