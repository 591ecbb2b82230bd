import { problemOf, redisRight, selectorOf } from './right.js';

it.each([
  '~orders:* +@read',
  '%R~orders:* +get +mget',
  '%RW~orders:[0-9]* ~orders:{eu}:? +@read +@write -@blocking -del',
  '&news:* +subscribe +psubscribe',
  '~orders:* &orders:* +@hash +publish +client|info +xinfo|stream',
  '~orders:* +get +scan +pubsub|channels',
])('takes %s', (right) => {
  expect(problemOf(right)).toBeNull();
  expect(redisRight.safeParse(right).success).toBe(true);
});

it.each([
  ['', 'has a word that is no pattern, no command and no category'],
  ['pol_crm_orders_read', 'has a word that is no pattern, no command and no category'],
  ['~orders:*', 'lends no command'],
  ['~orders:* -get', 'lends no command'],
  ['+get', 'names no keys and no channels'],
  ['~* +get', 'has a word that is no pattern, no command and no category'],
  ['~?rders +get', 'has a word that is no pattern, no command and no category'],
  ['~[o]rders +get', 'has a word that is no pattern, no command and no category'],
  ['&* +subscribe', 'has a word that is no pattern, no command and no category'],
  ['allkeys +get', 'has a word that is no pattern, no command and no category'],
  ['~orders:* allcommands', 'has a word that is no pattern, no command and no category'],
  ['~orders:* nopass +get', 'has a word that is no pattern, no command and no category'],
  ['~orders:* >secret +get', 'has a word that is no pattern, no command and no category'],
  ['~orders:*) +get (~*', 'has a word that is no pattern, no command and no category'],
  ['~orders:"x" +get', 'has a word that is no pattern, no command and no category'],
  ['~orders:\\* +get', 'has a word that is no pattern, no command and no category'],
  ['~ordérs:* +get', 'has a word that is no pattern, no command and no category'],
  ['~orders:[a +get', 'has a word that is no pattern, no command and no category'],
  ['~orders:*  +get', 'has a word that is no pattern, no command and no category'],
  ['~orders:*\n+get', 'has a word that is no pattern, no command and no category'],
  ['%~orders:* +get', 'has a word that is no pattern, no command and no category'],
  ['~orders:* +GET', 'has a word that is no pattern, no command and no category'],
  ['~orders:* +@all', 'lends a category that is never lent'],
  ['~orders:* +@dangerous', 'lends a category that is never lent'],
  ['~orders:* +@scripting', 'lends a category that is never lent'],
  ['~orders:* +@connection', 'lends a category that is never lent'],
  ['~orders:* +acl', 'lends a command that is never lent'],
  ['~orders:* +acl|whoami', 'lends a command that is never lent'],
  ['~orders:* +keys', 'lends a command that is never lent'],
  ['~orders:* +eval', 'lends a command that is never lent'],
  ['~orders:* +select', 'lends a command that is never lent'],
  ['~orders:* +client', 'lends more than one part of a command'],
  ['~orders:* +client|kill', 'lends more than one part of a command'],
  ['~orders:* +get|orders', 'names a part of a command that has none'],
  ['~orders:* +get -@all', 'takes everything back'],
  [`~${'o'.repeat(512)} +get`, 'is longer than 512 characters'],
])('refuses %s: it %s', (right, problem) => {
  expect(problemOf(right)).toBe(problem);
  expect(redisRight.safeParse(right).success).toBe(false);
});

it('becomes a selector that takes back what the server gives by default, and what is never lent', () =>
  expect(selectorOf('~orders:* +@read')).toBe(
    '(resetkeys resetchannels -@all ~orders:* +@read -dbsize -pubsub -randomkey -scan -@admin -@dangerous -@scripting)',
  ));

it('leaves what it names by itself', () =>
  expect(selectorOf('~orders:* +get +scan &n +pubsub|numsub')).toContain(
    '+pubsub|numsub -dbsize -randomkey -@admin',
  ));
