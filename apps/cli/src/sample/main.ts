/** Runs the sample task against the Mayfly of this state folder. Exit status 0: every step held. */
import { failureOf } from '../failure.js';
import { MayflyClient } from '../mayfly-client.js';
import { Narrator } from './narrator.js';
import { tellStory } from './story.js';

let client: MayflyClient | undefined;
try {
  client = await MayflyClient.open(process.env);
  await tellStory(client, new Narrator((text) => process.stdout.write(text)));
} catch (error) {
  const line = failureOf(error)?.line ?? (error instanceof Error ? error.message : String(error));
  process.stderr.write(`the sample task failed: ${line}\n`);
  process.exitCode = 1;
} finally {
  await client?.close();
}
