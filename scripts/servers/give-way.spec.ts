import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { giveWay } from './give-way.mjs';

let child: ChildProcess;
beforeEach(() => {
  child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
});
afterEach(() => child.kill('SIGKILL'));

it('makes a process give way, and its session where Linux shares out by sessions', () => {
  const pid = child.pid ?? 0;

  giveWay(pid, 10);

  expect(getPriority(pid)).toBe(10);
  const ofSession = `/proc/${pid}/autogroup`;
  const enabled = '/proc/sys/kernel/sched_autogroup_enabled';
  const isShared = existsSync(enabled) && readFileSync(enabled, 'utf8') === '1\n' && mayWrite(ofSession);
  expect(isShared ? readFileSync(ofSession, 'utf8') : 'nice 10').toMatch(/nice 10/);
});

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
