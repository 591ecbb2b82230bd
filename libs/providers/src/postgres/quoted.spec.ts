import { quoted, quotedText } from './quoted.js';

it.each([
  ['a plain name', 'report_bot', '"report_bot"'],
  ['a quotation mark', 'a"b', '"a""b"'],
  ['letters of any alphabet', 'berichts-häkchen', '"berichts-häkchen"'],
  ['a backslash', 'a\\b', '"a\\b"'],
  ['a new line, which would end a comment', 'x\n-- "; DROP ROLE y', 'U&"x\\000A-- ""; DROP ROLE y"'],
  ['a backslash beside what does not show', 'a\\\tb', 'U&"a\\\\\\0009b"'],
  ['a mark that turns the direction of writing', 'a\u202eb', 'U&"a\\202Eb"'],
  ['a tag beyond the first plane', 'a\u{e0041}', 'U&"a\\+0E0041"'],
])('quotes %s so that it is one name on one line', (_what, name, sql) => {
  expect(quoted(name)).toBe(sql);
});

it('quotes texts by the same rules', () => {
  expect(quotedText('report_bot')).toBe("'report_bot'");
  expect(quotedText("o'hara")).toBe("'o''hara'");
  expect(quotedText('a"b\n')).toBe("U&'a\"b\\000A'");
});
