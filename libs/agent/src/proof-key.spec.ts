import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose';
import { ProofKey } from './proof-key.js';

describe('proof key', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'proof-key-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('has the thumbprint that jose computes', async () => {
    const key = ProofKey.generate();
    expect(key.thumbprint).toBe(await calculateJwkThumbprint(key.publicJwk, 'sha256'));
  });

  it('signs what jose verifies', async () => {
    const key = ProofKey.generate();
    const jws = key.signJws({ typ: 'mayfly-proof+jwt' }, { iat: 1_795_000_000 });
    const { payload, protectedHeader } = await compactVerify(jws, await importJWK(key.publicJwk, 'ES256'));
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'mayfly-proof+jwt' });
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual({ iat: 1_795_000_000 });
  });

  it('is kept in a file that only its owner can read, and is the same key when read again', async () => {
    const path = join(folder, 'deeper', 'key.jwk');
    const made = await ProofKey.loadOrCreate(path);
    const read = await ProofKey.loadOrCreate(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(read.thumbprint).toBe(made.thumbprint);
  });

  it('is one key for all who ask at once', async () => {
    const path = join(folder, 'key.jwk');
    const keys = await Promise.all(Array.from({ length: 8 }, () => ProofKey.loadOrCreate(path)));
    expect(new Set(keys.map((key) => key.thumbprint)).size).toBe(1);
  });

  it('never writes over another key', async () => {
    const path = join(folder, 'key.jwk');
    await ProofKey.generate().save(path);
    const before = await readFile(path, 'utf8');
    expect(await ProofKey.generate().save(path)).toBe(false);
    expect(await readFile(path, 'utf8')).toBe(before);
  });

  it.each([
    ['what is no JSON', 'hello', 'not a private JWK'],
    ['a public key', JSON.stringify(ProofKey.generate().publicJwk), 'not a private JWK'],
    [
      'a key on another curve (RFC 8037 A.1)',
      '{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}',
      'not a P-256 key',
    ],
  ])('refuses a file that holds %s', async (_what, text, message) => {
    const path = join(folder, 'key.jwk');
    await writeFile(path, text);
    await expect(ProofKey.load(path)).rejects.toMatchObject({ code: 'ERR_KEY_FILE_INVALID', message });
  });
});
