import { connect } from 'node:net';

/**
 * Whether the group coordinator answers. A new Kafka makes the topic of the groups' offsets only when the first group asks for
 * its coordinator, and then loads it, which takes seconds on a busy machine; clients that meet it meanwhile retry, and give up
 * in the end. So it is asked here, and counts as started once it would let a group in.
 * @param {number} port
 * @returns {Promise<boolean>}
 */
export async function coordinatorAnswers(port) {
  const group = text('mayfly-start');
  try {
    // FindCoordinator v0: the error code is the first field of its response, and of Heartbeat v0's.
    if ((await errorCode(port, request({ api: 10, body: group }))) !== 0) return false;
    const heartbeat = Buffer.concat([group, int32(-1), text('nobody')]);
    return (await errorCode(port, request({ api: 12, body: heartbeat }))) === UNKNOWN_MEMBER_ID;
  } catch {
    return false; // connection refused or cut: it still starts
  }
}

const UNKNOWN_MEMBER_ID = 25;

function request({ api, body }) {
  const header = Buffer.concat([int16(api), int16(0), int32(1), text('mayfly-start')]);
  const size = int32(header.length + body.length);
  return Buffer.concat([size, header, body]);
}

/** Sends one request and reads the error code behind the response's size and correlation id. */
function errorCode(port, bytes) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    let received = Buffer.alloc(0);
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')));
    socket.once('connect', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 10) return;
      socket.destroy();
      resolve(received.readInt16BE(8));
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed without an answer')));
  });
}

function int16(value) {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value) {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
}
