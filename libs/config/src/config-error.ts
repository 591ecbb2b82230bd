/** What is wrong with a file that an operator wrote, and where. The value itself is never shown: it may be a secret. */

/** MISSING: no such file · SYNTAX: not YAML · VARIABLE: environment · UNKNOWN_KEY, INVALID: the value · UNSAFE: refused in production · NEEDS_RESTART: good, but not while we run. */
export type ConfigErrorCode =
  | 'ERR_CONFIG_MISSING'
  | 'ERR_CONFIG_SYNTAX'
  | 'ERR_CONFIG_VARIABLE'
  | 'ERR_CONFIG_UNKNOWN_KEY'
  | 'ERR_CONFIG_INVALID'
  | 'ERR_CONFIG_UNSAFE'
  | 'ERR_CONFIG_NEEDS_RESTART';

export interface ConfigFault {
  code: ConfigErrorCode;
  /** Path of the file, as it was given. */
  file: string;
  /** 1-based; absent when there is no text to point at. */
  line?: number;
  /** Path of the key inside the file, `services.broker.http.port`; absent for the file as a whole. */
  key?: string;
  /** What varies: a variable's name, never a value. */
  fields?: Record<string, string>;
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code: ConfigErrorCode;
  readonly file: string;
  readonly line: number | undefined;
  readonly key: string | undefined;
  readonly fields: Readonly<Record<string, string>>;

  constructor(message: string, fault: ConfigFault, options?: ErrorOptions) {
    super(message, options);
    this.code = fault.code;
    this.file = fault.file;
    this.line = fault.line;
    this.key = fault.key;
    this.fields = fault.fields ?? {};
  }
}

/** One line for stderr: `mayfly.yaml:12: services.broker.htpp: unknown key (ERR_CONFIG_UNKNOWN_KEY)`. Services then exit with 2. */
export function configErrorLine(error: ConfigError): string {
  const where = error.line === undefined ? error.file : `${error.file}:${error.line}`;
  const fields = Object.entries(error.fields).map(([name, value]) => ` ${name}=${value}`);
  return `${where}: ${error.key === undefined ? '' : `${error.key}: `}${error.message}${fields.join('')} (${error.code})`;
}
