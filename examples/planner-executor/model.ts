/**
 * Where the language model would be: it reads text and answers with text. This one follows a script. What it has read is kept, so that
 * a test can show that no credential was among it.
 */

/** What a model may ask for: a tool by name, with arguments. It asks; it does not act. */
export interface ToolCall {
  tool: string;
  arguments: Record<string, unknown>;
}
export type Turn = { call: ToolCall } | { answer: string };

export class ScriptedModel {
  /** All that it was given to read. */
  readonly context: string[];
  readonly #script: ((context: readonly string[]) => Turn)[];

  constructor(instruction: string, script: ((context: readonly string[]) => Turn)[]) {
    this.context = [instruction];
    this.#script = [...script];
  }

  read(text: string): void {
    this.context.push(text);
  }

  turn(): Turn {
    return this.#script.shift()?.(this.context) ?? { answer: 'nothing more to do' };
  }
}

/** The loop of every agent: the model asks, the tools act, the model reads what came of it. */
export async function runAgent(
  model: ScriptedModel,
  act: (call: ToolCall) => Promise<string>,
): Promise<string> {
  for (;;) {
    const turn = model.turn();
    if ('answer' in turn) return turn.answer;
    model.read(await act(turn.call));
  }
}
