/** Every endpoint of the auditor's API, for the OpenAPI document: what it takes, what it answers, and with which codes it says no. */
import { z } from 'zod';
import { uuidV7 } from '#events/inbound.js';
import { FILTER_LIMITS } from '../query/filter.js';
import { FIELDS } from '../query/fields.js';
import { FILTER_CODES } from '../query/filter-error.js';
import { CURSOR_CODES } from '../query/cursor.js';
import { instant } from '../query/instant.js';
import { MAX_ROWS } from '../evidence/asked.js';
import { NAME_PARAMETERS } from '../evidence/queries.js';
import { ACCESS_FILTERS, MAX_LEASES } from './access.controller.js';
import { accessPage, decisionFindings, entryDetail, entryPage, story } from './api-schemas.js';
import { MAX_COSIGNED } from './cosigned-answer.js';
import { keptDecisions } from './decisions.controller.js';
import { evidenceList, evidenceName, evidencePage } from './evidence-schemas.js';
import { exportRequest } from './exports.controller.js';
import { DEFAULT_LIMIT, MAX_LIMIT, MAX_PROVEN } from './list-query.js';
import type { ProblemCode } from './problem.js';

export interface Parameter {
  in: 'query' | 'path' | 'header';
  schema: z.ZodType;
  description: string;
}

export interface Endpoint {
  method: 'get' | 'post';
  /** As in OpenAPI: `/v1/entries/{seq}`. */
  path: string;
  summary: string;
  parameters?: Readonly<Record<string, Parameter>>;
  body?: z.ZodType;
  /** A schema is JSON. */
  answer: z.ZodType | { contentType: string; description: string };
  /** Without it, everybody may ask. */
  readBy?: readonly string[];
  codes: readonly ProblemCode[];
}

const READER_CODES: readonly ProblemCode[] = [
  ...(['ERR_UNAUTHENTICATED', 'ERR_TLS_REQUIRED', 'ERR_FORBIDDEN', 'ERR_RATE_LIMITED'] as const),
  ...(['ERR_PARAMETER_UNKNOWN', 'ERR_PARAMETER_INVALID'] as const),
];
const AUDITORS = ['auditor'];

const seq = z.int().nonnegative();
const inPath = (schema: z.ZodType, description: string): Parameter => ({ in: 'path', schema, description });
const inQuery = (schema: z.ZodType, description: string): Parameter => ({ in: 'query', schema, description });

const filtering = {
  filter: inQuery(
    z.string().max(FILTER_LIMITS.chars),
    `Terms \`field operator value\` with AND, OR (binds closer), NOT and parentheses, at most ${FILTER_LIMITS.terms}. Fields: ${[...FIELDS.keys()].join(', ')}.`,
  ),
  taskId: inQuery(uuidV7, 'The same as a term `task=…`.'),
  type: inQuery(z.string(), 'The same as a term `type=…`; must be a type of event.'),
};

const cosigned = inQuery(
  z.int().min(0).max(MAX_COSIGNED).default(0),
  'Of the newest head that at least so many witnesses cosigned.',
);

export const API: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/entries',
    summary: 'Entries that a filter lets pass, page by page, all of one signed head',
    parameters: {
      ...filtering,
      from: inQuery(instant, 'Entries that came into the log at this time or later.'),
      to: inQuery(instant, 'And before this time. Without a filter by id at most 31 days after `from`.'),
      order: inQuery(z.enum(['asc', 'desc']).default('asc'), 'Of the log.'),
      limit: inQuery(
        z.int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
        `With proofs at most ${MAX_PROVEN}. A page may be shorter and not be the last.`,
      ),
      after: inQuery(z.string(), '`next` of the page before; or a `seq`, behind which a new list begins.'),
      proof: inQuery(
        z.enum(['none', 'inclusion']).default('none'),
        'Whether each entry comes with its proof.',
      ),
    },
    answer: entryPage,
    readBy: AUDITORS,
    codes: [
      ...READER_CODES,
      ...FILTER_CODES,
      ...CURSOR_CODES,
      ...(['ERR_RANGE_INVALID', 'ERR_RANGE_TOO_WIDE', 'ERR_NO_CHECKPOINT'] as const),
    ],
  },
  {
    method: 'get',
    path: '/v1/entries/{seq}',
    summary: 'One entry, with what its commitments stand for',
    parameters: { seq: inPath(seq, 'Its place in the log.') },
    answer: entryDetail,
    readBy: AUDITORS,
    codes: [...READER_CODES, 'ERR_ENTRY_NOT_FOUND'],
  },
  {
    method: 'get',
    path: '/v1/entries/{seq}/proof',
    summary: 'Proof that the entry is in the log (C2SP tlog-proof), for the newest checkpoint',
    parameters: { seq: inPath(seq, 'Its place in the log.'), cosigned },
    answer: { contentType: 'text/plain; charset=utf-8', description: 'The proof, to be checked offline.' },
    readBy: AUDITORS,
    codes: [...READER_CODES, 'ERR_ENTRY_NOT_FOUND', 'ERR_ENTRY_NOT_COVERED', 'ERR_NO_CHECKPOINT'],
  },
  {
    method: 'get',
    path: '/v1/stream',
    summary: 'Entries as the log grows (server-sent events)',
    parameters: {
      ...filtering,
      after: inQuery(seq, 'Begins behind this entry; without it, with what is new.'),
      'Last-Event-ID': { in: 'header', schema: seq, description: 'The same, of a reader that comes back.' },
    },
    answer: {
      contentType: 'text/event-stream; charset=utf-8',
      description:
        'Events `entry`, as an entry of `/v1/entries` without a proof, and `as_of`, `{size, root}` of a signed head below which all was told.',
    },
    readBy: AUDITORS,
    codes: [...READER_CODES, ...FILTER_CODES, 'ERR_TOO_MANY_STREAMS'],
  },
  {
    method: 'get',
    path: '/v1/access',
    summary: 'Leases that were held at an instant, the latest first',
    parameters: {
      at: inQuery(instant, 'The instant; now, unless it is given.'),
      ...Object.fromEntries(
        ACCESS_FILTERS.map((name) => [name, inQuery(z.string().max(512), 'Only leases of this one.')]),
      ),
      limit: inQuery(
        z.int().min(1).max(MAX_LEASES).default(MAX_LEASES),
        'Leases in one page. It may be shorter, even empty, and not be the last.',
      ),
      after: inQuery(z.string(), '`next` of the page before.'),
    },
    answer: accessPage,
    readBy: ['auditor', 'operator'],
    codes: [...READER_CODES, ...CURSOR_CODES, 'ERR_NO_CHECKPOINT'],
  },
  {
    method: 'get',
    path: '/v1/evidence',
    summary: 'Questions that auditors ask again and again, with what each takes',
    answer: evidenceList,
    readBy: AUDITORS,
    codes: READER_CODES,
  },
  {
    method: 'get',
    path: '/v1/evidence/{query}',
    summary: 'What the log says to one of them, the latest first',
    parameters: {
      query: inPath(evidenceName, 'Its name.'),
      from: inQuery(instant, 'Of a window; 31 days before `to`, unless it is given, and no earlier.'),
      to: inQuery(instant, 'And before this time; now, unless it is given.'),
      ...Object.fromEntries(
        NAME_PARAMETERS.map((name) => [name, inQuery(z.string().max(512), 'Only rows of this one.')]),
      ),
      minMs: inQuery(z.int().nonnegative(), 'Of `outlived`: no shorter than so.'),
      limit: inQuery(
        z.int().min(1).max(MAX_ROWS).default(MAX_ROWS),
        'Rows in one page. It may be shorter, even empty, and not be the last.',
      ),
      after: inQuery(z.string(), '`next` of the page before.'),
    },
    answer: evidencePage,
    readBy: AUDITORS,
    codes: [
      ...READER_CODES,
      ...CURSOR_CODES,
      ...(['ERR_RANGE_INVALID', 'ERR_RANGE_TOO_WIDE'] as const),
      ...(['ERR_EVIDENCE_UNKNOWN', 'ERR_NO_CHECKPOINT'] as const),
    ],
  },
  {
    method: 'get',
    path: '/v1/tasks/{taskId}/story',
    summary: 'What happened in a task, in sentences, each with its entry',
    parameters: {
      taskId: inPath(uuidV7, 'Of the task.'),
      at: inQuery(seq, 'As the log had it when it had so many entries.'),
    },
    answer: story,
    readBy: ['auditor', 'operator'],
    codes: [...READER_CODES, 'ERR_TASK_NOT_FOUND', 'ERR_NO_CHECKPOINT'],
  },
  {
    method: 'post',
    path: '/v1/decisions/check',
    summary: 'Is what somebody keeps of decisions what the log has of them?',
    body: keptDecisions,
    answer: decisionFindings,
    readBy: AUDITORS,
    codes: [...READER_CODES, 'ERR_BODY_INVALID', 'ERR_BODY_TOO_LARGE'],
  },
  {
    method: 'post',
    path: '/v1/exports',
    summary: 'A contiguous range of the log, and what proves it; all of it unless told',
    body: exportRequest,
    answer: {
      contentType: 'application/x-ndjson; charset=utf-8',
      description: 'The head with what proves the range, then each entry: a line each.',
    },
    readBy: AUDITORS,
    codes: [
      ...READER_CODES,
      ...(['ERR_BODY_INVALID', 'ERR_BODY_TOO_LARGE', 'ERR_NO_CHECKPOINT'] as const),
      ...(['ERR_ENTRY_NOT_COVERED', 'ERR_TOO_MANY_STREAMS'] as const),
    ],
  },
  {
    method: 'get',
    path: '/log/checkpoint',
    summary: 'The newest signed head (C2SP tlog-checkpoint), with the cosignatures that it has',
    parameters: { cosigned },
    answer: { contentType: 'text/plain; charset=utf-8', description: 'A signed note.' },
    codes: ['ERR_PARAMETER_INVALID', 'ERR_NO_CHECKPOINT'],
  },
  {
    method: 'get',
    path: '/.well-known/openapi.json',
    summary: 'This document',
    answer: z.record(z.string(), z.unknown()),
    codes: [],
  },
];
