/** The programs that `npm start` needs: Node, and for a Kafka of its own Java and Maven. */
import { execFile } from 'node:child_process';
import { promisify, stripVTControlCharacters } from 'node:util';
import { fail, ok, warn } from './finding.js';
import type { Finding } from './finding.js';

const run = promisify(execFile);
const TIMEOUT_MS = 20_000;
const WITHOUT = 'without it the bus is in PostgreSQL';

export async function toolFindings(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const ownKafka = (env.KAFKA_BROKERS ?? '') === '' && env.MAYFLY_BUS !== 'postgres';
  return [
    nodeFinding(process.versions.node),
    ...(ownKafka
      ? [javaFinding(await firstLine('java', ['-version'])), mavenFinding(await firstLine('mvn', ['-v']))]
      : []),
  ];
}

/** @param version such as `20.19.4` */
export function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const enough = major > 20 || (major === 20 && minor >= 19);
  return enough ? ok('Node', version) : fail('Node', version, 'install Node 20.19 or later');
}

/** @param line such as `openjdk version "17.0.15" 2025-04-15`; undefined: there is no such program. */
export function javaFinding(line: string | undefined): Finding {
  const fix = `install a JDK, 17 or later, or set KAFKA_BROKERS to a Kafka of your own; ${WITHOUT}`;
  if (line === undefined) return warn('Java', 'not found', fix);
  const major = Number(/version "(\d+)/.exec(line)?.[1]);
  if (Number.isNaN(major)) return warn('Java', line, fix);
  return major >= 17 ? ok('Java', line) : warn('Java', line, fix);
}

/** @param line such as `Apache Maven 3.8.7` */
export function mavenFinding(line: string | undefined): Finding {
  return line === undefined
    ? warn(
        'Maven',
        'not found',
        `install Maven (it fetches Kafka once), or set KAFKA_BROKERS to a Kafka of your own; ${WITHOUT}`,
      )
    : ok('Maven', line);
}

/** `java -version` speaks on standard error. */
async function firstLine(command: string, args: string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(command, args, { timeout: TIMEOUT_MS });
    // Maven writes terminal codes even where nobody looks.
    return stripVTControlCharacters(`${stdout}${stderr}`).split('\n')[0]!.trim();
  } catch {
    return undefined;
  }
}
