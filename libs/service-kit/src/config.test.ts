import { SluiceError } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { commonFields, isLoopback } from './common-config.ts';
import {
  HelpRequested,
  booleanField,
  configHelp,
  configTable,
  field,
  integerField,
  parseConfig,
  portField,
  publicConfig,
} from './config.ts';
import { configOrExit } from './main-config.ts';
import { withSettings } from './readme-table.ts';

const spec = {
  metricsPort: portField({ doc: 'Port of /metrics', default: 8002 }),
  threads: integerField({ min: 1, max: 64 }, { doc: 'Threads', default: 2 }),
  databaseUrl: field(z.url('expected a URL'), { doc: 'Postgres', secret: true, flag: false }),
  acceptRestore: booleanField({ doc: 'Start on an older database', default: false }),
  registry: field(
    z.string().transform((text) => text.split(',')),
    { doc: 'Registries', default: 'http://me:hunter2@127.0.0.1' },
  ),
};
const databaseUrl = { SLUICE_DATABASE_URL: 'postgres://sluice:hunter2@127.0.0.1:8154/sluice' };

function problemsOf(argv: string[], env: Record<string, string> = databaseUrl): string[] {
  try {
    parseConfig(spec, { env, argv });
  } catch (error) {
    expect(error).toBeInstanceOf(SluiceError);
    expect((error as SluiceError).kind).toBe('invalid-argument');
    return (error as SluiceError).message.split('\n');
  }
  return [];
}

describe('parseConfig', () => {
  it('takes flags before variables before defaults, and freezes the result', () => {
    const env = { ...databaseUrl, SLUICE_METRICS_PORT: '9000', SLUICE_THREADS: '4' };
    const config = parseConfig(spec, { env, argv: ['--metrics-port', '0', '--accept-restore'] });
    expect(config).toMatchObject({ metricsPort: 0, threads: 4, acceptRestore: true });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('reads --name=value, --no-name, empty variables as absent, and negative numbers as values', () => {
    const env = { ...databaseUrl, SLUICE_THREADS: '', SLUICE_ACCEPT_RESTORE: 'true' };
    expect(parseConfig(spec, { env, argv: ['--metrics-port=7', '--no-accept-restore'] })).toMatchObject({
      metricsPort: 7,
      threads: 2,
      acceptRestore: false,
    });
    expect(problemsOf(['--threads', '-1'])).toEqual(['--threads: expected a whole number from 1 to 64, got "-1"']);
  });

  it('reports all problems together, one line each', () => {
    expect(
      problemsOf(['--metric-port', '1', '--threads', 'many', '--accept-restore=maybe', 'stray', '--registry'], {}),
    ).toEqual([
      'unknown flag --metric-port, did you mean --metrics-port?',
      'unexpected argument "stray": settings are given as --name value',
      '--registry needs a value',
      expect.stringMatching(/^--threads: expected a whole number from 1 to 64, got "many"$/),
      'databaseUrl is not set: give SLUICE_DATABASE_URL (Postgres)',
      expect.stringMatching(/^--accept-restore: .*got "maybe"$/),
    ]);
  });

  it('refuses a flag given twice, a flag far from any, and a secret on the command line', () => {
    expect(problemsOf(['--threads', '1', '--threads', '2'])).toEqual(['--threads is given twice']);
    expect(problemsOf(['--zzzzzzzz'])).toEqual(['unknown flag --zzzzzzzz, --help lists them']);
    expect(problemsOf(['--database-url', 'x'])[0]).toMatch(/^unknown flag --database-url/);
  });

  it('never repeats a secret in a problem', () => {
    expect(problemsOf([], { SLUICE_DATABASE_URL: 'hunter2' })).toEqual(['SLUICE_DATABASE_URL: expected a URL']);
  });

  it('has bounds at exactly the ends', () => {
    expect(problemsOf(['--metrics-port', '65535'])).toEqual([]);
    expect(problemsOf(['--metrics-port', '65536'])).toHaveLength(1);
    expect(problemsOf(['--threads', '1'])).toEqual([]);
    expect(problemsOf(['--threads', '0'])).toHaveLength(1);
  });
});

describe('what is shown of a configuration', () => {
  it('hides secrets and passwords inside URLs', () => {
    const config = parseConfig({ ...spec, registry: field(z.string(), spec.registry) }, { env: databaseUrl, argv: [] });
    const shown = publicConfig({ ...spec, registry: field(z.string(), spec.registry) }, config);
    expect(shown).toMatchObject({ databaseUrl: '[hidden]', registry: 'http://me:[hidden]@127.0.0.1' });
    expect(JSON.stringify(shown)).not.toContain('hunter2');
  });

  it('makes the same table for --help and for a README', () => {
    expect(configTable(spec).split('\n')[2]).toBe(
      '| `--metrics-port` | `SLUICE_METRICS_PORT` | 8002 | Port of /metrics |',
    );
    expect(configTable(spec)).toContain('|  | `SLUICE_DATABASE_URL` | required | Postgres |');
    expect(configHelp(spec)).toMatch(/--metrics-port +SLUICE_METRICS_PORT +Port of \/metrics \(default 8002\)/);
    expect(() => parseConfig(spec, { env: {}, argv: ['--help'] })).toThrow(HelpRequested);
  });

  it('replaces the table of a README and is stable', () => {
    const once = withSettings('# x\n\n<!-- settings -->\nold\n<!-- /settings -->\nend', spec);
    expect(once).toMatch(/^# x\n\n<!-- settings -->\n\n\| flag +\| variable/);
    expect(once).toMatch(/\n\n<!-- \/settings -->\nend$/);
    expect(withSettings(once, spec)).toBe(once);
    expect(() => withSettings('# x', spec)).toThrow(/needs the lines/);
  });
});

describe('configOrExit', () => {
  function run(argv: string[]): { code: number; out: string; error: string } {
    const seen = { code: -1, out: '', error: '' };
    const terminal = {
      out: (text: string) => void (seen.out += text),
      error: (text: string) => void (seen.error += text),
      exit: (code: number): never => {
        seen.code = code;
        throw new Error('exit');
      },
    };
    expect(() => configOrExit('router', spec, { env: databaseUrl, argv }, terminal)).toThrow('exit');
    return seen;
  }

  it('prints settings for --help and exits 0', () => {
    const { code, error, out } = run(['--help']);
    expect([code, error]).toEqual([0, '']);
    expect(out).toContain('--metrics-port');
  });

  it('prints one line per problem and exits 2', () => {
    const { code, error } = run(['--threads', '0', '--nope']);
    expect(code).toBe(2);
    expect(error.trimEnd().split('\n')).toHaveLength(3);
  });
});

describe('commonFields', () => {
  it('has the defaults of every service', () => {
    const config = parseConfig(commonFields('router', { port: 8001, metricsPort: 8002, adminPort: 8003 }), {
      env: {},
      argv: [],
    });
    expect(config).toMatchObject({ host: '127.0.0.1', port: 8001, drainMs: 10_000, maxMessageBytes: 67_108_864 });
    expect(config.instanceId).toMatch(/^router-[0-9a-f]{6}$/);
  });

  it.each([
    ['127.0.0.1', true],
    ['127.8.8.8', true],
    ['localhost', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['10.0.0.1', false],
    ['127.example.com', false],
  ])('%s is loopback: %s', (host, expected) => expect(isLoopback(host)).toBe(expected));
});
