/** An agent at the OAuth endpoints, made by hand: each part of its requests can be changed. */
import { v4 as uuidv4 } from 'uuid';
import type { ProofKey } from '#agent/proof-key.js';
import { ISSUER, type World } from './harness.js';
import { answered, HttpWorld, type Answered, type Door } from './http-world.js';
import { ANALYST, type Speaker } from './voices.js';

export const TOKEN_URL = `${ISSUER}/oauth/token`;
export const SPIFFE_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe';
export const JWT = 'urn:ietf:params:oauth:token-type:jwt';
export const ORDERS_AUDIENCE = 'http://127.0.0.1:7080';

export interface ProofChange {
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  key?: ProofKey;
}

/** A DPoP proof for the token endpoint; a member that is changed to undefined is left out. */
export function dpop(key: ProofKey, nonce: string | undefined, change: ProofChange = {}): string {
  const header = { typ: 'dpop+jwt', jwk: key.publicJwk, ...change.header };
  const proof = (change.key ?? key).signJws(header, {
    ...{ jti: uuidv4(), htm: 'POST', htu: TOKEN_URL, iat: Math.floor(Date.now() / 1_000) },
    ...(nonce === undefined ? {} : { nonce }),
    ...change.claims,
  });
  if (change.header?.alg === undefined) return proof;
  // As ES256 is what was signed, whatever the header says.
  const [, ...rest] = proof.split('.');
  return [Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.');
}

export const detailFor = (taskId: string, change: Record<string, unknown> = {}) => ({
  type: 'mayfly_tool_access',
  task: taskId,
  tool: 'orders.api',
  dataset: 'orders',
  actions: ['read'],
  ...change,
});

type Form = Record<string, string | undefined>;

export class OAuthAgent {
  #nonce: string | undefined;

  private constructor(
    readonly speaker: Speaker,
    private readonly door: Door,
  ) {}

  /** @param by an identity, with a token for the authorization server and a key of its own unless one is given */
  static async of(world: World, door: Door, by: string | Speaker): Promise<OAuthAgent> {
    const speaker = typeof by === 'string' ? await world.voices.newly(by, { audience: ISSUER }) : by;
    return new OAuthAgent(speaker, door);
  }

  form(taskId: string, change: Form = {}): Form {
    return {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      client_assertion_type: SPIFFE_ASSERTION,
      client_assertion: this.speaker.svid,
      subject_token: this.speaker.svid,
      subject_token_type: JWT,
      authorization_details: JSON.stringify([detailFor(taskId)]),
      ...change,
    };
  }

  /** Asks, and asks again with the nonce that it is told. */
  async exchange(taskId: string, change: Form = {}, proof: ProofChange = {}): Promise<Answered> {
    const first = await this.send(taskId, change, proof);
    return first.json['error'] === 'use_dpop_nonce' ? await this.send(taskId, change, proof) : first;
  }

  async send(taskId: string, change: Form = {}, proof: ProofChange = {}): Promise<Answered> {
    return await this.post(this.form(taskId, change), dpop(this.speaker.key, this.#nonce, proof));
  }

  async post(form: Form, proof: string | undefined, headers: Record<string, string> = {}): Promise<Answered> {
    const reply = await this.#ask('token', form, proof === undefined ? headers : { DPoP: proof, ...headers });
    this.#nonce = reply.headers.get('dpop-nonce') ?? this.#nonce;
    return reply;
  }

  get nonce(): string | undefined {
    return this.#nonce;
  }

  introspect(token: string, change: Form = {}): Promise<Answered> {
    return this.#ask('introspect', { ...this.#client(), token, ...change }, {});
  }

  revoke(token: string, change: Form = {}): Promise<Answered> {
    return this.#ask('revoke', { ...this.#client(), token, ...change }, {});
  }

  #client(): Form {
    return { client_assertion_type: SPIFFE_ASSERTION, client_assertion: this.speaker.svid };
  }

  async #ask(endpoint: string, form: Form, headers: Record<string, string>): Promise<Answered> {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(form)) if (value !== undefined) body.append(name, value);
    return await answered(
      await fetch(`${this.door.url}/oauth/${endpoint}`, { method: 'POST', headers, body }),
    );
  }
}

export const claimsOf = (token: unknown): Record<string, unknown> =>
  JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;

export const orders = { tool: 'orders.api', dataset: 'orders', actions: ['read', 'write'] };
export const tables = { tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] };

/** A broker that makes tokens, an agent at its door, and a task of that agent's. */
export interface OAuthWorld {
  http: HttpWorld;
  world: World;
  door: Door;
  agent: OAuthAgent;
  taskId: string;
}

export async function openOAuthWorld(): Promise<OAuthWorld> {
  const http = await HttpWorld.open({});
  const { world } = http;
  const door = await http.door(http.broker, { isPrivate: () => true });
  const agent = await OAuthAgent.of(world, door, ANALYST);
  const taskId = await http.startedTask({ declared: [orders, tables] });
  return { http, world, door, agent, taskId };
}
