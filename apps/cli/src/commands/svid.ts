/** `mayfly svid`: a JWT-SVID of the development trust domain, alone on standard output. */
import { readFile } from 'node:fs/promises';
import { thumbprint } from '#identity/jwk.js';
import type { EcPublicJwk, OkpPublicJwk } from '#identity/jwk.js';
import { mintSvid } from '#identity/development/mint-svid.js';
import { IdentityError } from '#identity/errors.js';
import { z } from 'zod';
import { CliError } from '../failure.js';
import { stateFolder } from '../state-folder.js';
import type { CommandContext } from './context.js';

export interface SvidOptions {
  id: string;
  /** File with the proof key's JWK; the public half is enough. */
  key?: string;
  audience?: string;
  /** Seconds. */
  ttl: number;
}

export async function svid(options: SvidOptions, { env, output }: CommandContext): Promise<void> {
  if (options.key !== undefined && options.audience !== undefined)
    throw new CliError('ERR_CLI_USAGE', 'give --key or --audience, not both');
  const audience =
    options.key === undefined
      ? (options.audience ?? 'mayfly')
      : `mayfly:jkt:${thumbprint(await readJwk(options.key))}`;
  const token = await mint({ stateDir: stateFolder(env), id: options.id, audience, ttlS: options.ttl, env });
  output.answer(token, { svid: token, id: options.id, audience, ttlS: options.ttl });
}

async function mint(request: Parameters<typeof mintSvid>[0]): Promise<string> {
  try {
    return await mintSvid(request);
  } catch (error) {
    if (error instanceof IdentityError && error.code === 'ERR_IDENTITY_FILE_UNREADABLE')
      throw new CliError(
        'ERR_CLI_NOT_RUNNING',
        'there is no development trust domain yet: npm start makes it',
        {
          cause: error,
        },
      );
    throw error;
  }
}

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const proofJwk = z.union([
  z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: coordinate, y: coordinate }),
  z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: coordinate }),
]);

async function readJwk(file: string): Promise<EcPublicJwk | OkpPublicJwk> {
  try {
    return proofJwk.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    // No cause: the file may hold a private key, and a parser quotes what it stumbles on.
    throw new CliError('ERR_CLI_FILE', `\`${file}\` holds no JWK of an EC P-256 or Ed25519 key`);
  }
}
