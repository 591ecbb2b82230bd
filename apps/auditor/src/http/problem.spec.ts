import { NotFoundException, ServiceUnavailableException } from '@nestjs/common';
import { ProblemFilter } from '#service/problem.js';
import { ProblemError, problemOf } from './problem.js';

class Answer {
  headersSent = false;
  code = 0;
  headers: Record<string, string> = {};
  body = '';
  status(code: number) {
    this.code = code;
    return this;
  }
  set(headers: Record<string, string>) {
    Object.assign(this.headers, headers);
    return this;
  }
  type(contentType: string) {
    return this.set({ 'Content-Type': contentType });
  }
  send(body: string) {
    this.body = body;
  }
}

function answerTo(error: unknown): { answer: Answer; logged: string[] } {
  const answer = new Answer();
  const logged: string[] = [];
  const filter = new ProblemFilter((_fields, message) => logged.push(message), problemOf);
  filter.catch(error, { switchToHttp: () => ({ getResponse: <T>() => answer as T }) });
  return { answer, logged };
}

it('answers with a problem document and a stable code', () => {
  const { answer } = answerTo(
    new ProblemError('ERR_ENTRY_NOT_COVERED', 'no checkpoint covers the entry yet'),
  );

  expect(answer.code).toBe(503);
  expect(answer.headers).toMatchObject({ 'Content-Type': 'application/problem+json', 'Retry-After': '1' });
  expect(JSON.parse(answer.body)).toEqual({
    type: 'about:blank',
    title: 'Service Unavailable',
    status: 503,
    code: 'ERR_ENTRY_NOT_COVERED',
    detail: 'no checkpoint covers the entry yet',
  });
});

it('tells nothing of a failure of ours, and logs it', () => {
  const { answer, logged } = answerTo(new Error('password is hunter2'));

  expect(answer.body).not.toContain('hunter2');
  expect(JSON.parse(answer.body)).toMatchObject({ status: 500, code: 'ERR_INTERNAL' });
  expect(logged).toEqual(['a request failed']);
});

it('turns refusals of the framework into problems, without echoing the request', () => {
  const { answer, logged } = answerTo(new NotFoundException('Cannot GET /maria'));

  expect(JSON.parse(answer.body)).toMatchObject({ status: 404, code: 'ERR_NOT_FOUND' });
  expect(answer.body).not.toContain('maria');
  expect(logged).toEqual([]);
});

it('leaves the answer of readiness as it is', () => {
  const body = { status: 'not_ready', service: 'auditor', reasons: ['consumer is not assigned'] };
  const { answer } = answerTo(new ServiceUnavailableException(body));

  expect(answer.code).toBe(503);
  expect(JSON.parse(answer.body)).toEqual(body);
});
