/** No accident: a principal that was removed is made again behind everybody's back, to show that the judge sees it. */
import pg from 'pg';
import { judgeTask } from '../judge.mjs';

export class Sabotage {
  #world;
  #principal;

  constructor(world) {
    this.#world = world;
  }

  async prepare() {}
  begin() {}
  on() {}

  async over() {
    const { records, tasks } = this.#world;
    const [lease] = tasks.flatMap((task) => judgeTask(task, records.of(task.taskId)).leases);
    this.#principal = lease.principal;
    await this.#atTarget(`CREATE ROLE ${this.#principal} LOGIN`);
    return { happened: true, backAtMs: 0 };
  }

  async clear() {
    await this.#atTarget(`DROP ROLE ${this.#principal}`);
  }

  async #atTarget(statement) {
    const client = new pg.Client({ connectionString: this.#world.rig.urls.target });
    await client.connect();
    await client.query(statement);
    await client.end();
  }
}
