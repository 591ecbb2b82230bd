import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Children that still run; the exit hook ends them whatever way this process goes, short of SIGKILL. */
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill(child.lastSignal);
});

/**
 * Kills the group `$1` with the signal `$2` once its standard input closes, which happens however the owner ends, SIGKILL
 * included; then removes the folders that follow.
 */
const REAPER = `read -r _; pgid=$1; kill -s "$2" -- "-$pgid" 2>/dev/null; shift 2
n=0; while kill -0 -- "-$pgid" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done
kill -s KILL -- "-$pgid" 2>/dev/null; [ $# -eq 0 ] || rm -rf -- "$@"`;

/**
 * Starts a program in a process group of its own, so that a Ctrl-C in the terminal reaches only us and we decide the order of
 * the end. Its output goes to a file, not to a pipe, so that it does not depend on us to be read.
 * @param {string} command
 * @param {string[]} args
 * @param {object} options
 * @param {string} options.name what to call it in messages
 * @param {string | null} options.logFile appended to; its folder is made; null: the output is ours
 * @param {string} [options.cwd]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {{ uid: number, gid: number } | null} [options.user] whom to run as, when not as ourselves
 * @param {NodeJS.Signals} [options.stopSignal] what asks it to end in order; SIGTERM unless told
 * @param {NodeJS.Signals} [options.lastSignal] what ends it without delay; SIGKILL unless told
 * @param {{ remove: string[] } | null} [options.reaper] ends it even after a SIGKILL of this process, and removes these folders
 */
export async function startChild(command, args, options) {
  const {
    name,
    logFile,
    cwd,
    env,
    user = null,
    stopSignal = 'SIGTERM',
    lastSignal = 'SIGKILL',
    reaper = null,
  } = options;
  const output = logFile === null ? 'inherit' : openLog(logFile);
  const logFrom = logFile === null ? 0 : fstatSync(output).size;
  const child = spawn(command, args, {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', output, output],
    ...(user === null ? {} : { uid: user.uid, gid: user.gid }),
  });
  if (logFile !== null) closeSync(output);
  await new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const watch = reaper === null ? null : startReaper(child.pid, lastSignal, reaper.remove);
  let end = null;
  const exited = new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      end = { code, signal };
      running.delete(handle);
      // Its number may be another's from now on.
      watch?.kill('SIGKILL');
      resolve(end);
    });
  });
  const handle = {
    name,
    pid: child.pid,
    logFile,
    /** Where its part of the log begins. */
    logFrom,
    lastSignal,
    exited,
    /** How it ended, or null while it runs. */
    end: () => end,
    /** Sends a signal to the whole group, while it runs. */
    kill(signal) {
      if (end !== null) return;
      try {
        process.kill(-child.pid, signal);
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    },
    /** Asks it to end, insists after `graceMs`; resolves once it is gone. */
    async stop(graceMs = 15_000) {
      if (end === null) {
        handle.kill(stopSignal);
        await Promise.race([exited, sleep(graceMs, undefined, { ref: false })]);
      }
      if (end === null) handle.kill(lastSignal);
      await Promise.race([exited, sleep(graceMs, undefined, { ref: false })]);
      if (end === null) handle.kill('SIGKILL');
      return exited;
    },
  };
  running.add(handle);
  return handle;
}

function openLog(file) {
  mkdirSync(dirname(file), { recursive: true });
  return openSync(file, 'a', 0o600);
}

function startReaper(pid, signal, remove) {
  const args = ['-c', REAPER, 'reaper', String(pid), signal.replace(/^SIG/, ''), ...remove];
  const reaper = spawn('/bin/sh', args, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  reaper.on('error', () => {});
  reaper.unref();
  reaper.stdin.unref?.();
  return reaper;
}
