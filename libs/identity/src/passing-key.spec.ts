import { generateSealKey } from '#agent/seal-key.js';
import { PassingKey } from './passing-key.js';
import { sealCredential } from './seal.js';

const lease = { leaseId: 'L', taskId: 'T', callId: 'C', agent: 'A', topic: 'delivery' };
const plaintext = { kind: 'jwt', token: 'of nobody else' };
const sealedTo = (key: PassingKey) => sealCredential({ sealTo: key.publicJwk, plaintext, lease });

it('opens what was sealed to it', () => {
  const key = new PassingKey();
  expect(key.open(sealedTo(key))).toEqual(plaintext);
});

it('opens nothing that was sealed to another key, of a request or of an agent', () => {
  const key = new PassingKey();
  expect(key.open(sealedTo(new PassingKey()))).toBeUndefined();
  const agents = sealCredential({ sealTo: generateSealKey('X25519').publicJwk, plaintext, lease });
  expect(key.open(agents)).toBeUndefined();
});

it('opens nothing that was changed, in any of its parts', () => {
  const key = new PassingKey();
  const envelope = sealedTo(key);
  for (let at = 0; at < envelope.length; at += 1) {
    const changed = `${envelope.slice(0, at)}${envelope[at] === 'A' ? 'B' : 'A'}${envelope.slice(at + 1)}`;
    expect(key.open(changed)).toBeUndefined();
  }
});

it.each(['', '....', 'a.b.c.d.e', 'e30....'])('opens no %p', (text) => {
  expect(new PassingKey().open(text)).toBeUndefined();
});
