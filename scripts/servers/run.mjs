import { spawn } from 'node:child_process';

/**
 * Runs a program to its end and keeps what it printed.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<{ code: number | null, output: string, missing: boolean }>} `missing` when there is no such program
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
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
