import { unsupported } from './platform.mjs';

it.each(['20.19.0', '20.20.2', '22.12.0', '24.0.0'])('runs on Node.js %s', (nodeVersion) =>
  expect(unsupported({ platform: 'linux', nodeVersion })).toBeNull(),
);
it.each(['18.20.4', '20.18.3', '12.0.0'])('refuses Node.js %s and says what it needs', (nodeVersion) =>
  expect(unsupported({ platform: 'darwin', nodeVersion })?.message).toBe(
    `Mayfly needs Node.js 20.19 or newer, and this is ${nodeVersion}`,
  ),
);
it('sends users of Windows to WSL', () =>
  expect(unsupported({ platform: 'win32', nodeVersion: '22.12.0' })?.remedy).toContain('wsl --install'));
