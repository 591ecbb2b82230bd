/** Tells the sample's story: one numbered heading for each step, its facts below it. */
export class Narrator {
  #step = 0;

  constructor(private readonly write: (text: string) => unknown) {}

  title(text: string): void {
    this.write(`\n${text}\n`);
  }

  step(text: string): void {
    this.#step += 1;
    this.write(`\n  ${this.#step}  ${text}\n`);
  }

  fact(text: string): void {
    this.write(`     ${text}\n`);
  }
}
