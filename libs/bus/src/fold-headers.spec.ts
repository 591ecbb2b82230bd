import { foldHeaders } from './fold-headers.js';

const header = (key: string, text: string) => ({ key, value: Buffer.from(text) });

describe('the headers of a record', () => {
  it('are kept by name, and one given more than once as an array in order', () => {
    const headers = foldHeaders([header('a', '1'), header('b', '2'), header('a', '3'), header('a', '4')]);

    expect(headers).toEqual({
      a: [Buffer.from('1'), Buffer.from('3'), Buffer.from('4')],
      b: Buffer.from('2'),
    });
  });

  it('may be named like what an object inherits', () => {
    const headers = foldHeaders([header('__proto__', '1'), header('constructor', '2')]);

    expect(Object.keys(headers)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
  });

  it('may have no value', () => {
    expect(foldHeaders([{ key: 'a', value: null }, header('a', '1')])).toEqual({
      a: [null, Buffer.from('1')],
    });
  });

  it('take time with their number, not with its square', () => {
    const many = Array.from({ length: 200_000 }, (_, n) => header(n % 2 === 0 ? 'same' : String(n), ''));
    const beforeMs = performance.now();

    const headers = foldHeaders(many);

    expect(performance.now() - beforeMs).toBeLessThan(2_000);
    expect(Object.keys(headers)).toHaveLength(100_001);
  });
});
