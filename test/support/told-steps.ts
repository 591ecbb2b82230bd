/** What a page tells to write and to run is written and run, in its order, in a folder of its own; `mayfly` in this process. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { failureOf } from '../../apps/cli/src/failure.js';
import { program } from '../../apps/cli/src/program.js';

const STEP = /(?:<!-- (file|append): (\S+) -->\n\n)?```(cedar|yaml|console)\n([^]*?)```/g;

type Step =
  { does: 'file' | 'append'; path: string; text: string } | { does: 'run'; command: string; output: string };

/** Of a page's fences of Cedar, YAML and console. */
export const stepsOf = (page: string): Step[] =>
  [...page.matchAll(STEP)].flatMap(([, does, path = '', , text = '']): Step[] =>
    does === 'file' || does === 'append'
      ? [{ does, path, text }]
      : text
          .split(/^\$ /m)
          .slice(1)
          .map((run) => ({
            does: 'run',
            command: run.split('\n')[0] ?? '',
            output: run.slice(run.indexOf('\n') + 1),
          })),
  );

/** The specs of a page: each command answers as the page says. */
export function itAnswersAsTold(title: string, file: string, commands: number): void {
  const steps = stepsOf(readFileSync(file, 'utf8'));
  const root = process.cwd();
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mayfly-how-to-'));
    cpSync('deploy/sample', join(folder, 'deploy', 'sample'), { recursive: true });
    process.chdir(folder);
  });
  afterAll(() => {
    process.chdir(root);
    rmSync(folder, { recursive: true });
  });

  it(title, async () => {
    for (const step of steps)
      switch (step.does) {
        case 'file':
          mkdirSync(dirname(step.path), { recursive: true });
          writeFileSync(step.path, step.text);
          break;
        case 'append':
          appendFileSync(step.path, `\n${step.text}`);
          break;
        case 'run':
          expect({ command: step.command, output: await run(step.command) }).toEqual({
            command: step.command,
            output: expect.stringMatching(pattern(step.output)) as string,
          });
      }
    expect(steps.filter(({ does }) => does === 'run')).toHaveLength(commands);
  });
}

const MAYFLY = 'npx --no mayfly ';

async function run(command: string): Promise<string> {
  if (!command.startsWith(MAYFLY)) return execFileSync('sh', ['-c', command], { encoding: 'utf8' });
  let said = '';
  const stream = { write: (text: string) => (said += text) };
  try {
    const args = command.slice(MAYFLY.length).split(' ');
    await program({}, { stdout: stream, stderr: stream }).parseAsync(args, { from: 'user' });
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    said += `mayfly: ${failure.line}\n`;
  }
  return said;
}

/** `…` in a line stands for any text, alone in a line for any lines. */
export const pattern = (output: string): RegExp =>
  new RegExp(
    `^${output
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replace(/^…\n/gm, '[^]*?')
      .replaceAll('…', '.*')}$`,
  );
