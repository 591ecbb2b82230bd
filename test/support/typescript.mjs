/** `node --import` it, with `--conditions=source`: a process of its own runs TypeScript as the tests do, without a build. */
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
