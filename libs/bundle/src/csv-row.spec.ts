import { COLUMNS, CSV_HEADER, csvRow } from './csv-row.js';

const row = (envelope: unknown) => csvRow(7, Buffer.from(JSON.stringify(envelope)));
const empty = (cells: number) => ','.repeat(cells);

it('has a column for each member that people look for, of the envelope and of the event', () => {
  const event = {
    ...{ actor: 'x', agent: 'a', tool: 't', dataset: 'd', action: 'read' },
    ...{ decision: 'permit', leaseId: 'l', cause: 'task_ended' },
  };
  const envelope = {
    ...{
      appendedAt: 'now',
      topic: 'x',
      partition: 3,
      offset: '9',
      authenticated: true,
      type: 'call.decided',
    },
    ...{ id: 'i', task: 'k', sender: 's', service: 'broker', code: 'ERR', event },
  };
  expect(row(envelope)).toBe(
    '7,now,x,3,9,true,call.decided,i,k,s,broker,ERR,x,a,t,d,read,permit,l,task_ended',
  );
});

it('shows what is no text as JSON, in one cell', () => {
  expect(row({ task: { a: [1, 'b'] } })).toContain(',"{""a"":[1,""b""]}",');
});

it.each([
  ['=1+1', "'=1+1"],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\t=1+1', '"""\\t=1+1"""'],
  ['\r=1+1', '"""\\r=1+1"""'],
  ['a\nb', '"""a\\nb"""'],
  ['=a,"b"', '"\'=a,""b"""'],
  [-1, "'-1"],
  [null, ''],
])('keeps %j from being a formula, or a second line', (task, cell) => {
  expect(
    row({ task })
      .split(',')
      .slice(8)
      .join(',')
      .replace(/,{11}$/, ''),
  ).toBe(cell);
});

it.each(['no JSON', '[1]', 'null', '"text"', `${'['.repeat(30_000)}${']'.repeat(30_000)}`])(
  'is empty but for the number where a leaf is no object: %.20s',
  (leaf) => {
    expect(csvRow(7, Buffer.from(leaf))).toBe(`7${empty(COLUMNS.length - 1)}`);
  },
);

it('is empty but for the number where a member is nested too deep to be written', () => {
  expect(csvRow(7, Buffer.from(`{"task":${'['.repeat(30_000)}${']'.repeat(30_000)}}`))).toMatch(/^7,/);
});

it('reads no member that an object only inherits', () => {
  expect(csvRow(1, Buffer.from('{"__proto__":{"task":"x"}}'))).toBe(`1${empty(COLUMNS.length - 1)}`);
});

it('has a header of as many cells', () => {
  expect(CSV_HEADER.split(',')).toHaveLength(COLUMNS.length);
});
