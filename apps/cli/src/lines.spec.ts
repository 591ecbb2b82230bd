import { LineTooLong, linesOf } from './lines.js';

async function linesIn(chunks: string[], maxBytes = 100): Promise<string[]> {
  const found: string[] = [];
  const source = (async function* () {
    for (const chunk of chunks) yield await Promise.resolve(Buffer.from(chunk));
  })();
  for await (const batch of linesOf(source, maxBytes)) found.push(...batch.map(String));
  return found;
}

it.each([
  [[], []],
  [['a\nb\n'], ['a', 'b']],
  [['a\nb'], ['a', 'b']],
  [
    ['a', 'b\n', '\nc'],
    ['ab', '', 'c'],
  ],
  [['\n'], ['']],
  [
    ['\n', '\n'],
    ['', ''],
  ],
  [
    ['a\n', 'b\n'],
    ['a', 'b'],
  ],
])('finds the lines of %j', async (chunks, lines) => {
  expect(await linesIn(chunks)).toEqual(lines);
});

it('gives up on a line that is too long, whether it ends or not', async () => {
  await expect(linesIn(['x'.repeat(6), 'x'.repeat(5)], 10)).rejects.toThrow(LineTooLong);
  await expect(linesIn([`${'x'.repeat(11)}\n`], 10)).rejects.toThrow(LineTooLong);
});
