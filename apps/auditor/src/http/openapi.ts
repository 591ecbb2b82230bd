/** The OpenAPI 3.1 document of the auditor, made of the schemas that its answers are typed by. Pure. */
import { z } from 'zod';
import { API, type Endpoint, type Parameter } from './api.js';
import { problem } from './api-schemas.js';
import { PROBLEMS } from './problem.js';

const JSON_TYPE = 'application/json';

export function openApi(): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of API)
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method]: operationOf(endpoint) };
  return {
    openapi: '3.1.1',
    info: {
      title: 'Mayfly auditor',
      version: '1',
      description: 'Reads the verifiable log. Every read is an entry of it.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:7072', description: 'npm start' }],
    paths,
    components: {
      schemas: { Problem: schemaOf(problem) },
      securitySchemes: {
        reader: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            'A JWT-SVID, or the OIDC token of a person who has signed in; valid for 5 minutes at most. The role is in `operators.yaml`.',
        },
      },
    },
  };
}

function operationOf({ summary, parameters, body, answer, readBy, codes }: Endpoint): object {
  return {
    summary: readBy === undefined ? summary : `${summary}. By: ${readBy.join(', ')}`,
    security: readBy === undefined ? [] : [{ reader: [] }],
    ...(parameters === undefined ? {} : { parameters: Object.entries(parameters).map(parameterOf) }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { [JSON_TYPE]: { schema: schemaOf(body) } } } }),
    responses: { '200': answerOf(answer, readBy !== undefined), ...refusalsOf(codes) },
  };
}

const parameterOf = ([name, { in: place, schema, description }]: [string, Parameter]): object => ({
  name,
  in: place,
  required: place === 'path',
  description,
  schema: schemaOf(schema),
});

const LIMIT_HEADERS = {
  RateLimit: { description: 'What is left: `"reads";r=…;t=…`.', schema: { type: 'string' } },
  'RateLimit-Policy': { description: 'Requests in seconds: `"reads";q=…;w=…`.', schema: { type: 'string' } },
};

function answerOf(answer: Endpoint['answer'], isLimited: boolean): object {
  const headers = isLimited ? { headers: LIMIT_HEADERS } : {};
  if (answer instanceof z.ZodType)
    return { description: 'OK', ...headers, content: { [JSON_TYPE]: { schema: schemaOf(answer) } } };
  return { description: answer.description, ...headers, content: { [answer.contentType]: {} } };
}

/** One answer for each status, with the codes that have it. */
function refusalsOf(codes: Endpoint['codes']): Record<string, object> {
  const statuses = [...new Set(codes.map((code) => PROBLEMS[code]))].sort((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      {
        description: codes.filter((code) => PROBLEMS[code] === status).join(', '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

function schemaOf(schema: z.ZodType): object {
  // Of what is sent: a parameter with a default need not be there.
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return json;
}
