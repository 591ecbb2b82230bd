import { parseForm } from './form.js';

const parsed = (text: string) => [...parseForm(Buffer.from(text))];
const refusal = expect.objectContaining({ error: 'invalid_request', code: 'ERR_FORM_INVALID' }) as Error;

it('reads parameters, and counts one without a value as not given', () => {
  expect(parsed('a=1&b=%C3%BC+x&c=&d')).toEqual([
    ['a', '1'],
    ['b', 'ü x'],
  ]);
});

it.each(['a=1&a=2', 'a=1&a=1', 'a=1&%61=2'])('refuses %s: a parameter is given once', (text) => {
  expect(() => parsed(text)).toThrow(refusal);
});

it('refuses more parameters than any request has', () => {
  expect(() => parsed(Array.from({ length: 33 }, (_, n) => `p${n}=`).join('&'))).toThrow(refusal);
});

it('makes no member of an object of a name', () => {
  expect(parseForm(Buffer.from('__proto__=x')).get('__proto__')).toBe('x');
  expect(parseForm(Buffer.from('')).get('constructor')).toBeUndefined();
});
