import { fromBase64, fromDecimal, toBase64 } from './base64.js';

const bytesOf = (length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, i) => (i * 83 + length) % 256));

it('writes and reads what others write and read', () => {
  for (let length = 0; length <= 260; length += 1) {
    const bytes = bytesOf(length);
    const text = bytes.toString('base64');
    expect(toBase64(bytes)).toBe(text);
    expect(Buffer.from(fromBase64(text)!).equals(bytes)).toBe(true);
  }
});

it('refuses every other spelling of the same bytes, and everything that is no base64', () => {
  for (const text of [
    ...['A', 'AA', 'AAA', 'AA=', 'AA===', '=', '====', 'A===', 'AAAA=', 'AA==AAAA', 'AA=A'],
    ...[
      'AB==',
      'AAB=',
      'A\n==',
      'AAAA\n',
      ' AAAA',
      'AAAA====',
      'AAA\u0000',
      'AAA-',
      'AAA_',
      'AA\u00c1A',
      'AAA\ud800',
    ],
  ])
    expect([text, fromBase64(text)]).toEqual([text, undefined]);
});

it('refuses every single character that is changed into one that is no digit', () => {
  const text = toBase64(bytesOf(31));
  for (let at = 0; at < text.length; at += 1)
    for (const other of ['!', '=', ' ', '\u0100'])
      if (text[at] !== other)
        expect(fromBase64(text.slice(0, at) + other + text.slice(at + 1))).toBeUndefined();
});

it('reads decimal numbers without sign, zeroes in front, or more than 63 bits', () => {
  expect(['0', '7', '9223372036854775807'].map(fromDecimal)).toEqual([0n, 7n, 2n ** 63n - 1n]);
  for (const text of ['', '00', '01', '-1', '+1', '1.0', '1e3', ' 1', '1\n', '9223372036854775808', '١'])
    expect(fromDecimal(text)).toBeUndefined();
});
