import 'reflect-metadata';
import { readFileSync, writeFileSync } from 'node:fs';
import { RequestMethod } from '@nestjs/common';
import { format, resolveConfig } from 'prettier';
import { HTTP_CONTROLLERS } from '../auditor.module.js';
import { API } from './api.js';
import { openApi } from './openapi.js';
import { PROBLEMS } from './problem.js';

const FILE = 'docs/reference/auditor.openapi.json';

/** What the controllers answer, as `get /v1/entries/{seq}`. */
function routes(): string[] {
  return HTTP_CONTROLLERS.flatMap((controller) => {
    const root = Reflect.getMetadata('path', controller) as string;
    const handlers = Object.getOwnPropertyNames(controller.prototype).map(
      (name) => (controller.prototype as unknown as Record<string, object>)[name] ?? {},
    );
    return handlers.flatMap((handler) => {
      const method = Reflect.getMetadata('method', handler) as RequestMethod | undefined;
      if (method === undefined) return [];
      const path = `/${root}/${Reflect.getMetadata('path', handler) as string}`
        .replace(/\/+/g, '/')
        .replace(/(.)\/$/, '$1')
        .replace(/:(\w+)/g, '{$1}');
      return [`${RequestMethod[method].toLowerCase()} ${path}`];
    });
  });
}

it('describes every route there is, and none that is not', () => {
  expect(API.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(routes().sort());
});

it('names every parameter of a path', () => {
  for (const { path, parameters = {} } of API) {
    const inPath = Object.keys(parameters).filter((name) => parameters[name]?.in === 'path');
    expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
  }
});

it('says of every code where it is answered', () => {
  const told = new Set(API.flatMap(({ codes }) => codes));
  expect(Object.keys(PROBLEMS).filter((code) => !told.has(code as never))).toEqual([]);
});

it('explains every code in the reference', () => {
  const page = readFileSync('docs/reference/errors.md', 'utf8');
  expect(Object.keys(PROBLEMS).filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});

it('refers to nothing that is not there', () => {
  const document = openApi();
  for (const [, ref = ''] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const found = ref
      .split('/')
      .reduce<unknown>((at, member) => (at as Record<string, unknown> | undefined)?.[member], document);
    expect({ ref, isThere: found !== undefined }).toEqual({ ref, isThere: true });
  }
});

// MAYFLY_WRITE_DOCS=1 writes it anew.
it('is what the reference has', async () => {
  const text = await format(JSON.stringify(openApi()), {
    ...(await resolveConfig(FILE)),
    parser: 'json',
  });
  if (process.env.MAYFLY_WRITE_DOCS === '1') writeFileSync(FILE, text);
  expect(readFileSync(FILE, 'utf8')).toBe(text);
});
