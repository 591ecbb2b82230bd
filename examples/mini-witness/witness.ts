/** `POST /add-checkpoint` (C2SP tlog-witness v1.0.0): who the witness is, which logs it watches, and what it answers. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { parseAddCheckpoint, type AddCheckpoint } from '#merkle/add-checkpoint.js';
import type { Cosigner } from '#merkle/cosignature.js';
import { MerkleError } from '#merkle/errors.js';
import { hasher } from '#merkle/node/hasher.js';
import type { NoteVerifier } from '#merkle/note-key.js';
import { judgeAddCheckpoint } from '#merkle/witness-verdict.js';
import type { Heads } from './heads.js';

const MAX_BODY_BYTES = 65_536;
const REQUEST_WITHIN_MS = 10_000;

export interface Witness {
  cosigner: Cosigner;
  /** Keys of the logs that it watches; their names are the origins. */
  logs: readonly NoteVerifier[];
  heads: Heads;
}

interface Answer {
  status: number;
  type?: string;
  body?: string;
}

export function witnessServer(witness: Witness): Server {
  const timeouts = { requestTimeout: REQUEST_WITHIN_MS, headersTimeout: REQUEST_WITHIN_MS };
  return createServer(timeouts, (request, response) => {
    void answer(witness, request)
      // A disk that is full, a damaged file: nothing is cosigned.
      .catch((error: Error): Answer => {
        console.error(error.message);
        return { status: 500 };
      })
      .then(({ status, type = 'text/plain; charset=utf-8', body = '' }) =>
        response.writeHead(status, { 'content-type': type }).end(body),
      );
  });
}

async function answer(witness: Witness, request: IncomingMessage): Promise<Answer> {
  if (request.url !== '/add-checkpoint') return { status: 404 };
  if (request.method !== 'POST') return { status: 405 };
  const body = await readBody(request);
  return body === undefined ? { status: 413 } : addCheckpoint(witness, body);
}

/** From the look at what was cosigned last until the next is kept, no other request has its turn: nothing here is awaited. */
function addCheckpoint({ cosigner, logs, heads }: Witness, body: string): Answer {
  const request = parsed(body);
  if (request === undefined) return { status: 400 };
  const verdict = judgeAddCheckpoint(hasher, request, (origin) => {
    const verifiers = logs.filter(({ name }) => name === origin);
    return verifiers.length === 0 ? undefined : { origin, verifiers, latest: heads.latest(origin) };
  });
  if (verdict.status === 409)
    return { status: 409, type: 'text/x.tlog.size', body: `${verdict.latestSize}\n` };
  if (verdict.status !== 200) return { status: verdict.status };
  heads.keep(verdict.checkpoint.origin, request.checkpoint);
  return { status: 200, body: cosigner.cosign(verdict.text, BigInt(Math.floor(Date.now() / 1_000))) };
}

function parsed(body: string): AddCheckpoint | undefined {
  try {
    return parseAddCheckpoint(body);
  } catch (error) {
    if (error instanceof MerkleError) return undefined;
    throw error;
  }
}

/** @returns undefined for what is too large */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
