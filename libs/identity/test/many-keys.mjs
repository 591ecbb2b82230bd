/** Makes keys and seals to keys, in a process that would stop over it. argv: how many */
const { sealCredential } = await import('../src/seal.ts');
const { generateSealKey } = await import('../../agent/src/seal-key.ts');

const lease = { leaseId: 'l', taskId: 't', callId: 'c', agent: 'a', topic: 'o' };
for (let n = 0; n < Number(process.argv[2]); n += 1)
  for (const curve of ['P-256', 'X25519'])
    sealCredential({ sealTo: generateSealKey(curve).publicJwk, plaintext: { n }, lease });
process.stdout.write('made');
