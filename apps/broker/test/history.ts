/** A stream as some release stored it, with the row that was kept beside it: `test/histories/README.md`. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Task } from '#events/task.js';
import type { StoredEvent } from '#store/events.js';

export interface History {
  story: string;
  taskId: string;
  events: StoredEvent[];
  row: { shape: number; version: number; status: Task['status']; state: Task };
}

const FOLDER = 'test/histories';

/** Every recorded history, named `<release>/<story>`. */
export function readHistories(): [name: string, history: History][] {
  return readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => [
      file.replace(/\.json$/, ''),
      JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as History,
    ]);
}

export function writeHistory(release: string, name: string, history: History): void {
  mkdirSync(join(FOLDER, release), { recursive: true });
  writeFileSync(join(FOLDER, release, `${name}.json`), `${JSON.stringify(history, null, 2)}\n`);
}
