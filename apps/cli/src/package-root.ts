import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the package that this file is part of, as source or as built. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}
