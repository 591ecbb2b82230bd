import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const running = new Set();
process.on('exit', () => {
  for (const child of running) {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
});

/**
 * A program of the operating system, wherever the PATH leads.
 * @param {string} name
 */
export function systemProgram(name) {
  return ['/usr/bin', '/bin'].map((folder) => join(folder, name)).find(existsSync) ?? name;
}

/**
 * Runs a program to its end and keeps what it printed. It has a process group of its own and ends with us.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<{ code: number | null, output: string, missing: boolean }>} `missing` when there is no such program
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    child.once('spawn', () => running.add(child));
    child.once('exit', () => running.delete(child));
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output = (output + text).slice(-64 * 1024);
      });
    }
    child.once('error', (error) => {
      if (error.code === 'ENOENT') resolve({ code: null, output: '', missing: true });
      else reject(error);
    });
    child.once('close', (code) => resolve({ code, output, missing: false }));
  });
}
