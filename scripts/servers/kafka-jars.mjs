import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { madeOnce } from './made-once.mjs';
import { Problem } from './problem.mjs';
import { run } from './run.mjs';

export const KAFKA_VERSION = '4.3.1';
const LOGGER = 'slf4j-simple';
const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>mayfly</groupId>
  <artifactId>embedded-kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId><artifactId>${LOGGER}</artifactId><version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
`;

const INSTALL =
  'Install both (Debian, Ubuntu: `apt-get install openjdk-17-jre-headless maven`; macOS: `brew install openjdk maven`), or start Docker, or set KAFKA_BROKERS to a Kafka of yours, or MAYFLY_BUS=postgres to do without';

/**
 * The `java` to run Kafka with: JAVA_HOME's, else the one on the PATH.
 * @returns {Promise<string>}
 * @throws {Problem} when there is none, or it is older than 17
 */
export async function findJava(env = process.env) {
  const java = env.JAVA_HOME ? join(env.JAVA_HOME, 'bin', 'java') : 'java';
  const { code, output, missing } = await run(java, ['-version'], { env });
  if (missing || code !== 0)
    throw new Problem('the embedded Kafka needs Java 17 and Maven, and no Java was found', INSTALL);
  const major = javaMajor(output);
  if (major === null || major < 17) {
    throw new Problem(
      `the embedded Kafka needs Java 17, and ${java} is ${major ?? 'of an unknown version'}`,
      INSTALL,
    );
  }
  return java;
}

/**
 * The major version in the output of `java -version`: 8 for `1.8.0_392`, 17 for `17.0.15`.
 * @param {string} output
 * @returns {number | null}
 */
export function javaMajor(output) {
  const found = /version "(?:1\.)?(\d+)/.exec(output);
  return found === null ? null : Number(found[1]);
}

/**
 * @param {{ jarsDir: string, env?: NodeJS.ProcessEnv }} options
 * @throws {Problem} without Maven, unless the jars are there
 */
export async function requireMaven({ jarsDir, env = process.env }) {
  if (existsSync(join(jarsDir, `kafka-${KAFKA_VERSION}`))) return;
  const { code, missing } = await run('mvn', ['-v'], { env });
  if (missing || code !== 0)
    throw new Problem('the embedded Kafka is fetched with Maven, and `mvn` was not found', INSTALL);
}

/**
 * The folder with Kafka's jars, fetched from Maven Central the first time.
 * @param {{ jarsDir: string, log: (line: string) => void, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<string>}
 * @throws {Problem} without Maven, and when the registry does not answer
 */
export async function kafkaJars({ jarsDir, log, env = process.env }) {
  return madeOnce(join(jarsDir, `kafka-${KAFKA_VERSION}`), async (part) => {
    log(`downloading Apache Kafka ${KAFKA_VERSION} (44 MB, only the first time)`);
    const pomFile = join(part, 'pom.xml');
    await writeFile(pomFile, pom);
    await copyDependencies(pomFile, part, env);
  });
}

async function copyDependencies(pomFile, folder, env) {
  const goal = [`${PLUGIN}:copy-dependencies`, '-DincludeScope=runtime', `-DoutputDirectory=${folder}`];
  const { code, output, missing } = await run(
    'mvn',
    ['-q', '-B', '-Dstyle.color=never', '-f', pomFile, ...goal],
    {
      env,
      cwd: folder,
    },
  );
  if (missing)
    throw new Problem('the embedded Kafka is fetched with Maven, and `mvn` was not found', INSTALL);
  if (code === 0) return;
  const detail = output.split('\n').find((line) => line.includes('ERROR')) ?? output.trim().slice(-200);
  if (/transfer|unknown host|unreachable|timed? out|refused|resolve host/i.test(output)) {
    throw new Problem(
      'Maven Central cannot be reached',
      'Check the network or the mirror in Maven’s settings.xml, then run it again, or set MAYFLY_BUS=postgres',
    );
  }
  throw new Problem(
    `Maven could not fetch Kafka: ${detail.slice(0, 300)}`,
    'Mend Maven’s set-up, or set KAFKA_BROKERS',
  );
}
