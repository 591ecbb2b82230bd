import { ProcessorWait } from './processor-wait.js';

it('is the part of the time in which it could have run that it waited', () => {
  let told = '1000 500 3\n';
  const startMs = performance.now();
  const wait = new ProcessorWait(() => told);

  told = '2000 3500 9\n';
  expect(wait.share(startMs + 200)).toBe(0.75);
  told = '3000 4500 12\n';
  expect(wait.share(startMs + 400)).toBe(0.5);
  expect(wait.share(startMs + 600)).toBe(0);
});

it('is of a tenth of a second at the least: of a moment it would be all or nothing', () => {
  let told = '0 0 0\n';
  const startMs = performance.now();
  const wait = new ProcessorWait(() => told);

  told = '1000 3000 2\n';
  expect(wait.share(startMs + 200)).toBe(0.75);
  told = '2000 3000 3\n';
  expect(wait.share(startMs + 250)).toBe(0.75);
  expect(wait.share(startMs + 301)).toBe(0);
});

it('is nothing where Linux does not tell', () => {
  const wait = new ProcessorWait(() => {
    throw new Error('no such file');
  });
  expect(wait.share(performance.now() + 200)).toBe(0);
  expect(new ProcessorWait(() => '').share(performance.now() + 200)).toBe(0);
});

it('is read of this very process', () => {
  const wait = new ProcessorWait();
  for (const endMs = performance.now() + 20; performance.now() < endMs;);
  const share = wait.share(performance.now() + 200);
  expect(share).toBeGreaterThanOrEqual(0);
  expect(share).toBeLessThanOrEqual(1);
});
