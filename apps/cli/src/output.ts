/** Where a command speaks: people get lines, programs get one JSON document. Standard output only carries the answer. */
export interface Output {
  /** The answer, in the form that was asked for. */
  answer(text: string, document: object): void;
  /** What went wrong, or what to know beside the answer. */
  remark(line: string): void;
}

export interface Streams {
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
  stdin?: AsyncIterable<Uint8Array | string>;
}

export function outputTo(streams: Streams, asJson: boolean): Output {
  return {
    answer: (text, document) => {
      streams.stdout.write(asJson ? `${JSON.stringify(document)}\n` : `${text}\n`);
    },
    remark: (line) => {
      streams.stderr.write(`${line}\n`);
    },
  };
}
