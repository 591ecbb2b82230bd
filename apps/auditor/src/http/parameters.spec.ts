import { seqOf, taskIdOf } from './parameters.js';

const refusal = (code: string): Error => expect.objectContaining({ name: 'ProblemError', code }) as Error;

it.each(['', '01', 'abc', '1.5', '0x1', ' 1', '99999999999999999999'])(
  'refuses %j as a sequence number',
  (text) => {
    expect(() => seqOf(text)).toThrow(refusal('ERR_PARAMETER_INVALID'));
  },
);

it('refuses an id that is none', () => {
  expect(() => taskIdOf('nobody')).toThrow(refusal('ERR_PARAMETER_INVALID'));
});
