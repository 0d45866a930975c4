import { SluiceError } from '@sluice/domain/errors';
import { HelpRequested, parseConfig } from './config.ts';
import type { Config, ConfigSource, ConfigSpec } from './config.ts';

export interface Terminal {
  out(text: string): void;
  error(text: string): void;
  exit(code: number): never;
}

/**
 * `parseConfig` for a program's main: `--help` prints the settings and exits 0; wrong settings print one line each to
 * standard error and exit 2.
 */
export function configOrExit<Spec extends ConfigSpec>(
  program: string,
  spec: Spec,
  source: ConfigSource,
  terminal: Terminal,
): Config<Spec> {
  try {
    return parseConfig(spec, source);
  } catch (error) {
    if (error instanceof HelpRequested) {
      terminal.out(`${program}\n\n${error.text}`);
      return terminal.exit(0);
    }
    if (error instanceof SluiceError && error.kind === 'invalid-argument') {
      for (const line of error.message.split('\n')) terminal.error(`${program}: ${line}\n`);
      terminal.error(`${program}: --help lists all settings\n`);
      return terminal.exit(2);
    }
    throw error;
  }
}
