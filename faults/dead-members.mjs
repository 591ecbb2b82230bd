/**
 * Takes a killed member out of its consumer group, as the group's coordinator does by itself once the session time-out is
 * over. It only saves those seconds: the next member would wait for them. One request of Kafka's protocol, LeaveGroup version 3.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';

const LEAVE_GROUP = 13;
const VERSION = 3;

/** @param {string} brokers a single broker, which coordinates every group */
export function openGroups(brokers) {
  const admin = new Kafka({
    brokers: brokers.split(','),
    clientId: 'faults',
    logLevel: logLevel.NOTHING,
  }).admin();
  return {
    connect: () => admin.connect(),
    close: () => admin.disconnect(),
    /** Nobody may be alive in the groups of that service. */
    async empty(service) {
      const { groups } = await admin.describeGroups([service, `${service}.gathered`]);
      for (const { groupId, members } of groups) {
        const ids = members.map(({ memberId }) => memberId);
        if (ids.length > 0) await leave(brokers.split(',')[0], groupId, ids);
      }
    },
    /** A service's groups and how far Kafka thinks that they have come. Nobody may be in them. */
    async remove(service) {
      const { groups } = await admin.describeGroups([service, `${service}.gathered`]);
      const known = groups.filter(({ state }) => state === 'Empty').map(({ groupId }) => groupId);
      if (known.length > 0) await admin.deleteGroups(known);
    },
  };
}

async function leave(broker, group, members) {
  const [host, port] = broker.split(':');
  const socket = connect(Number(port), host);
  try {
    await once(socket, 'connect');
    const request = Buffer.concat([
      int16(LEAVE_GROUP),
      int16(VERSION),
      int32(1),
      string('faults'),
      string(group),
      int32(members.length),
      // No instance id: these are not static members.
      ...members.map((member) => Buffer.concat([string(member), int16(-1)])),
    ]);
    socket.write(Buffer.concat([int32(request.length), request]));
    await once(socket, 'data');
  } finally {
    socket.destroy();
  }
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

const string = (text) => Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)]);
