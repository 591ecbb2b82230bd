import { interpolate } from './interpolate.js';

const env = { HOST: 'db.example', PORT: '5432', EMPTY: '' };

it('fills in a variable, alone or inside a text', () => {
  expect(interpolate({ host: '${HOST}', url: 'postgres://${HOST}:${PORT}/x' }, env).tree).toEqual({
    host: 'db.example',
    url: 'postgres://db.example:5432/x',
  });
});

it('falls back to the default when a variable is unset or empty', () => {
  expect(interpolate(['${NONE:-a b}', '${EMPTY:-c}', '${HOST:-d}'], env).tree).toEqual([
    'a b',
    'c',
    'db.example',
  ]);
});

it('names each unset variable and where it is wanted', () => {
  expect(interpolate({ a: [{ b: '${NONE}' }] }, env).unset).toEqual([
    { path: ['a', 0, 'b'], variable: 'NONE' },
  ]);
});

it('leaves out a member that is empty after filling, and a map of which nothing is left', () => {
  expect(
    interpolate({ sasl: { user: '${NONE:-}', password: '${NONE:-}' }, host: '${HOST}' }, env).tree,
  ).toEqual({
    host: 'db.example',
  });
});

it('keeps an empty text that the file itself gives', () => {
  expect(interpolate({ note: '', list: [] }, env).tree).toEqual({ note: '', list: [] });
});

it('writes a literal ${ for $${', () => {
  expect(interpolate({ note: '$${HOST}' }, env)).toMatchObject({
    tree: { note: '${HOST}' },
    unset: [],
    malformed: [],
  });
});

it.each(['${host}', '${HOST', '${}', '${HOST:?x}'])('calls %s malformed', (text) => {
  expect(interpolate({ text }, env).malformed).toEqual([['text']]);
});

it('does not fill in what a variable holds', () => {
  expect(interpolate({ a: '${NESTED}' }, { NESTED: '${HOST}', HOST: 'x' }).tree).toEqual({ a: '${HOST}' });
});
