import { Secret } from '../secret.js';
import { cleanCommand, clientsIn, createCommand, fenceCommand, isLatched, killedIn, stateIn } from './acl.js';

const PRINCIPAL = 'kshp01m87evqw0e00800000000000a';
const plan = { leaseId: 'x', principal: PRINCIPAL, selectors: ['(~orders:* +get)'], createByMs: 0 };
/** As a server answers `ACL GETUSER`. */
const user = (change: Record<string, string | string[]>) =>
  Object.entries({
    ...{
      flags: ['off', 'sanitize-payload'],
      passwords: [],
      commands: '-@all',
      keys: '',
      channels: '&*',
      selectors: [],
    },
    ...change,
  }).flat();

it('asks for one channel before anything else, and has all of them afterwards', () =>
  expect(createCommand(plan, new Secret('s'), true).slice(0, 7)).toEqual([
    ...['ACL', 'SETUSER', PRINCIPAL, `&${PRINCIPAL}`, 'reset', 'allchannels', `~${PRINCIPAL}`],
  ]));

it('carries the hash of the secret, and not the secret', () => {
  const command = createCommand(plan, new Secret('correct-horse'), true);
  expect(command).toContain('#9dca666eb54730714630d1519264a7bf1eeaad00b8f2edc90d3ecbfad928d163');
  expect(command.join(' ')).not.toContain('correct-horse');
});

it('lets a client say what it is, where the server understands that', () => {
  const says = (hasSetInfo: boolean) => createCommand(plan, new Secret('s'), hasSetInfo).join(' ');
  expect(says(true)).toContain('+client|id +client|setinfo)');
  expect(says(false)).toContain('+client|id)');
});

it('knows a latch by what the server says', () => {
  const says = (rule: string) =>
    `ERR Error in ACL SETUSER modifier '${rule}': Adding a pattern after the * pattern`;
  expect(
    isLatched(`${says('&k')} (or the 'allchannels' flag) is not valid and does not have any effect.`),
  ).toBe(true);
  expect(isLatched("ERR Error in ACL SETUSER modifier '(+x)': Unknown command or category name in ACL")).toBe(
    false,
  );
});

it('leaves the latch after a cut, and after a clean', () => {
  expect(fenceCommand(PRINCIPAL)).toContain('allchannels');
  expect(fenceCommand(PRINCIPAL)).not.toContain('resetkeys');
  expect(cleanCommand(PRINCIPAL).slice(3)).toEqual(['reset', 'allchannels']);
});

it.each([
  ['is not there', null, 'absent'],
  ['is only a fence', user({}), 'absent'],
  ['was cut', user({ keys: `~${PRINCIPAL}` }), 'disabled'],
  ['was taken its login by hand', user({ passwords: ['ab'] }), 'disabled'],
  ['may do something without login', user({ commands: '-@all +get' }), 'disabled'],
  ['has selectors without login', user({ selectors: ['(+get)'] }), 'disabled'],
  ['may log in', user({ flags: ['on'], keys: `~${PRINCIPAL}` }), 'live'],
  ['may log in, and has lost all else', user({ flags: ['on'] }), 'live'],
])('sees a user that %s', (_what, reply, state) => expect(stateIn(reply)).toBe(state));

it.each([undefined, 'OK', 1, [], ['passwords', []]])('believes no answer that is none: %j', (reply) =>
  expect(() => stateIn(reply)).toThrow(),
);

it('counts whom it ended; a user that is not there has nobody', () => {
  expect(killedIn(3)).toBe(3);
  expect(killedIn(new Error('ERR No such user'))).toBe(0);
});

it('reads who is connected', () => {
  const lines =
    'id=7 addr=127.0.0.1:1 name=mayfly-shp-create age=481 idle=0 user=mayfly-broker\n' +
    `id=8 addr=127.0.0.1:2 name= age=3 cmd=blpop user=${PRINCIPAL} resp=2\n`;
  expect(clientsIn(lines)).toEqual([
    { id: '7', name: 'mayfly-shp-create', user: 'mayfly-broker', ageS: 481 },
    { id: '8', name: '', user: PRINCIPAL, ageS: 3 },
  ]);
});
