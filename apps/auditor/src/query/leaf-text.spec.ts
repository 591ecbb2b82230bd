import fc from 'fast-check';
import { canonical } from '#events/jcs.js';
import { memberText } from './leaf-text.js';

it('is what the bytes of every leaf hold that has this member', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (value, other) => {
      const text = memberText('agent', value);
      const leaf = canonical({ event: { agent: value, other }, agent: other, v: 1 });
      return text === undefined || leaf.includes(text);
    }),
  );
});

it.each(['7', '-1.5e3', 'true', 'null', '{"a":1}', '"x"'])(
  'says nothing of %s, which may stand there without quotes',
  (value) => expect(memberText('call', value)).toBeUndefined(),
);
