import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { EventStream, ReaderGone } from './event-stream.js';

/** A connection with room for so much until it is drained. */
class Connection extends EventEmitter {
  written = '';
  destroyed = false;
  writableEnded = false;
  headers: Record<string, string> = {};
  isFull = false;

  writeHead(_status: number, headers: Record<string, string>) {
    this.headers = headers;
  }
  write(text: string): boolean {
    this.written += text;
    return !this.isFull;
  }
  end() {
    this.writableEnded = true;
  }
  destroy() {
    this.destroyed = true;
  }
}
const open = (takesWithinMs?: number) => {
  const connection = new Connection();
  return { connection, events: new EventStream(connection as unknown as ServerResponse, takesWithinMs) };
};

it('writes events with the place where a reader goes on', async () => {
  const { connection, events } = open();
  await events.begin();
  await events.send('entry', 8n, { seq: 7, text: 'a\nb' });
  await events.send('as_of', 0n, { size: 0 });

  expect(connection.headers['Content-Type']).toBe('text/event-stream; charset=utf-8');
  expect(connection.written).toBe(
    'retry: 1000\n\nevent: entry\nid: 7\ndata: {"seq":7,"text":"a\\nb"}\n\nevent: as_of\ndata: {"size":0}\n\n',
  );
});

it('waits until a slow reader has taken what was written', async () => {
  const { connection, events } = open();
  connection.isFull = true;
  let isThrough = false;
  const sending = events.send('entry', 1n, {}).then(() => (isThrough = true));
  await new Promise(setImmediate);
  expect(isThrough).toBe(false);
  connection.emit('drain');
  await sending;
  expect(connection.listenerCount('drain') + connection.listenerCount('close')).toBe(0);
});

it('gives a reader up that takes nothing', async () => {
  const { connection, events } = open(1);
  connection.isFull = true;
  await expect(events.send('entry', 1n, {})).rejects.toThrow(ReaderGone);
  expect(connection.destroyed).toBe(true);
});

it('writes nothing to a reader that is gone', async () => {
  const { connection, events } = open();
  connection.destroyed = true;
  await expect(events.send('entry', 1n, {})).rejects.toThrow(ReaderGone);
  expect(connection.written).toBe('');
});
