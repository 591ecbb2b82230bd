/** What is sent back. */
import type { ServerResponse } from 'node:http';
import { problemOf } from './problems.js';
import { PROBLEM_TYPE, problemBody, problemHeaders, type Problem } from '#service/problem.js';

export interface Reply {
  status: number;
  type: string;
  body: string;
  headers?: Readonly<Record<string, string>>;
}

/** Nothing of what the broker says may be kept by a cache, unless it says so. */
const NO_STORE = { 'Cache-Control': 'no-store' };

export const json = (status: number, body: object, headers: Record<string, string> = {}): Reply => ({
  status,
  type: 'application/json',
  body: JSON.stringify(body),
  headers: { ...NO_STORE, ...headers },
});

export const jose = (envelope: string): Reply => ({
  status: 200,
  type: 'application/jose',
  body: envelope,
  headers: NO_STORE,
});

export const problemReply = (problem: Problem): Reply => ({
  status: problem.status,
  type: PROBLEM_TYPE,
  body: problemBody(problem),
  headers: problemHeaders(problem),
});

/** What is no problem that we know is thrown on: a failure of ours. */
export function problemReplyOf(error: unknown): Reply {
  const problem = problemOf(error);
  if (problem === undefined) throw error;
  return problemReply(problem);
}

export function send(response: ServerResponse, { status, type, body, headers }: Reply): void {
  // What was not read of the request cannot be told from the next one.
  const unread = response.req.complete ? {} : { Connection: 'close' };
  response.writeHead(status, {
    ...headers,
    ...unread,
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}
