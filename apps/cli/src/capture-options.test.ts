import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { captureChanges, type CaptureFlags, captureOptions, captureSettings } from './capture-options.ts';

/** The changes that a command line asks for. */
function asked(...args: string[]) {
  const command = captureOptions(new Command('set'))
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  command.parse(args, { from: 'user' });
  return captureChanges(command.opts<CaptureFlags>());
}

describe('options of a capture policy', () => {
  it('are the changes that they name, and none where there are none', () => {
    const args = ['--capture', 'rate=0.1,payload=on', '--retention', 'short', '--durability', 'durable'];
    expect(asked(...args, '--redact', 'age, income')).toEqual({
      ...{ rate: 0.1, request: true, response: 'RESPONSE_CAPTURE_ALL', retentionClass: 'short' },
      ...{ durability: 'DURABILITY_DURABLE', redact: { names: ['age', 'income'] } },
    });
    expect(asked('--redact', '')).toEqual({ redact: { names: [] } });
    expect(asked('--durability', 'best-effort')).toEqual({ durability: 'DURABILITY_BEST_EFFORT' });
    expect(asked()).toBeUndefined();
    expect(() => asked('--retention', 'ever')).toThrow(/short, standard, long/);
    expect(() => asked('--durability', 'none')).toThrow(/best-effort, durable/);
  });

  it.each([
    ['rate=0', { rate: 0 }],
    ['rate=1', { rate: 1 }],
    ['payload=off', { request: false, response: 'RESPONSE_CAPTURE_NONE' }],
    ['request=on,response=small', { request: true, response: 'RESPONSE_CAPTURE_SMALL' }],
    ['response=on', { response: 'RESPONSE_CAPTURE_ALL' }],
    ['response=off', { response: 'RESPONSE_CAPTURE_NONE' }],
    ['max=100', { maxPayloadBytes: 100 }],
    ['max=64KiB', { maxPayloadBytes: 65_536 }],
    ['max=2MiB', { maxPayloadBytes: 2_097_152 }],
  ])('say %s', (text, changes) => {
    expect(captureSettings(text)).toEqual(changes);
  });

  it.each([
    ['', /^Expected KEY=VALUE/],
    ['rate', /^"rate" is not of the form KEY=VALUE; KEY is rate, payload, request, response or max/],
    ['rate=2', /^rate=2: expected a share from 0 to 1/],
    ['rate=x', /^rate=x: expected a share/],
    ['rate=0.1,rate=0.2', /^rate is given twice/],
    ['payload=yes', /^payload=yes: expected on or off\./],
    ['payload=small', /^payload=small: expected on or off\./],
    ['response=some', /^response=some: expected on or off or small/],
    ['payload=on,request=off', /^payload is request and response/],
    ['max=0', /^max=0: expected bytes above 0/],
    ['max=1GiB', /^max=1GiB: expected bytes/],
    ['size=1', /^There is no "size"; expected rate, payload/],
  ])('refuse "%s"', (text, message) => {
    expect(() => captureSettings(text)).toThrow(message);
  });
});
