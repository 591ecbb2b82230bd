import { bindingOf, OPERATION, PATTERN, RESOURCE } from './rights.js';

const PRINCIPAL = 'kdev01jdba979ffgrrp7jf18p6tzm8';
const topic = (resourceName: string, operation: number, resourcePatternType: number = PATTERN.LITERAL) => ({
  ...{ resourceType: RESOURCE.TOPIC, resourceName, operation, resourcePatternType },
});
const group = (resourceName: string, resourcePatternType: number) => ({
  ...{ resourceType: RESOURCE.GROUP, operation: OPERATION.READ, resourceName, resourcePatternType },
});

it.each([
  ['read:topic:crm.orders', topic('crm.orders', OPERATION.READ)],
  ['write:topic:crm.orders_v2-eu', topic('crm.orders_v2-eu', OPERATION.WRITE)],
  ['read:topics:crm.', topic('crm.', OPERATION.READ, PATTERN.PREFIXED)],
  ['write:topics:c', topic('c', OPERATION.WRITE, PATTERN.PREFIXED)],
  ['read:group:billing', group('billing', PATTERN.LITERAL)],
  ['read:groups:billing-', group('billing-', PATTERN.PREFIXED)],
  ['own-groups', group(PRINCIPAL, PATTERN.PREFIXED)],
])('%s is one ACL', (right, binding) => {
  expect(bindingOf(right, PRINCIPAL)).toEqual(binding);
});

it.each([
  ['every topic', 'read:topic:*'],
  ['every topic, as a prefix', 'read:topics:'],
  ['every group', 'read:group:*'],
  ['a name with what no topic has', 'read:topic:crm orders'],
  ['a name that is a path', 'read:topic:..'],
  ['another operation', 'alter:topic:crm.orders'],
  ['all operations', 'all:topic:crm.orders'],
  ['the cluster', 'read:cluster:kafka-cluster'],
  ['a transaction', 'write:transaction:crm'],
  ['a group to be written', 'write:group:billing'],
  ['Kafka’s own topics', 'read:topic:__consumer_offsets'],
  ['a prefix that reaches them', 'read:topics:_'],
  ['the topics of a Mayfly', 'write:topic:mayfly.task.events.v1'],
  ['a prefix that reaches those', 'write:topics:may'],
  ['a member of every object', 'read:constructor:x'],
  ['upper case', 'READ:topic:crm.orders'],
  ['two lines', 'read:topic:crm\n.orders'],
  ['a name that is too long', `read:topic:${'a'.repeat(111)}`],
  ['nothing', ''],
])('nobody is lent %s', (_what, right) => {
  expect(bindingOf(right, PRINCIPAL)).toBeNull();
});
