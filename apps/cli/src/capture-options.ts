import type { CaptureChanges } from '@sluice/contracts/gen/sluice/registry/v1/CaptureChanges';
import { durabilities, retentionClasses } from '@sluice/domain/capture';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { decimal, list } from './options.ts';

/** What is said of a capture policy on a command line. */
export interface CaptureFlags {
  readonly capture?: CaptureChanges;
  readonly retention?: string;
  readonly durability?: string;
  readonly redact?: readonly string[];
}

const units: Readonly<Record<string, number>> = { '': 1, B: 1, KiB: 1024, MiB: 1024 ** 2 };
const keys = 'rate, payload, request, response or max';

/** The options of a command that changes a capture policy. */
export function captureOptions(command: Command): Command {
  return command
    .option(
      '--capture <settings>',
      'which evidence is kept: rate=0.1,payload=on|off,request=on|off,response=on|off|small,max=64KiB',
      captureSettings,
    )
    .addOption(new Option('--retention <class>', 'how long evidence is kept').choices(retentionClasses))
    .addOption(
      new Option('--durability <kind>', 'durable: answers wait until the evidence is on disk').choices(durabilities),
    )
    .option(
      '--redact <names>',
      "features or inputs that are zeroed in what is kept, with commas between; '': none",
      list,
    );
}

/** The changes that were asked for; undefined when there are none. */
export function captureChanges({ capture, retention, durability, redact }: CaptureFlags): CaptureChanges | undefined {
  const changes: CaptureChanges = {
    ...capture,
    ...(retention === undefined ? {} : { retentionClass: retention }),
    ...(durability === undefined
      ? {}
      : { durability: durability === 'durable' ? 'DURABILITY_DURABLE' : 'DURABILITY_BEST_EFFORT' }),
    ...(redact === undefined ? {} : { redact: { names: [...redact] } }),
  };
  return Object.keys(changes).length === 0 ? undefined : changes;
}

/** `rate=0.1,payload=on`: each setting once, and `payload` stands for `request` and `response`. */
export function captureSettings(text: string): CaptureChanges {
  const given = new Map<string, string>();
  for (const part of list(text)) {
    const [, key, value] = /^([a-z]+)=(.+)$/.exec(part) ?? [];
    if (key === undefined) throw new InvalidArgumentError(`"${part}" is not of the form KEY=VALUE; KEY is ${keys}.`);
    if (given.has(key)) throw new InvalidArgumentError(`${key} is given twice.`);
    given.set(key, value!);
  }
  if (given.size === 0) throw new InvalidArgumentError(`Expected KEY=VALUE with commas between; KEY is ${keys}.`);
  if (given.has('payload') && (given.has('request') || given.has('response')))
    throw new InvalidArgumentError('payload is request and response; give it or those.');
  return Object.assign({}, ...[...given].map(([key, value]) => setting(key, value))) as CaptureChanges;
}

function setting(key: string, value: string): CaptureChanges {
  switch (key) {
    case 'rate':
      return { rate: share(value) };
    case 'payload':
      return { request: isOn(key, value), response: response(isOn(key, value)) };
    case 'request':
      return { request: isOn(key, value) };
    case 'response':
      return { response: value === 'small' ? 'RESPONSE_CAPTURE_SMALL' : response(isOn(key, value, ' or small')) };
    case 'max':
      return { maxPayloadBytes: bytes(value) };
    default:
      throw new InvalidArgumentError(`There is no "${key}"; expected ${keys}.`);
  }
}

const response = (on: boolean) => (on ? 'RESPONSE_CAPTURE_ALL' : 'RESPONSE_CAPTURE_NONE');

function share(text: string): number {
  const value = decimal(text);
  if (!(value >= 0 && value <= 1))
    throw new InvalidArgumentError(`rate=${text}: expected a share from 0 to 1, such as 0.1.`);
  return value;
}

function isOn(key: string, value: string, also = ''): boolean {
  if (value === 'on' || value === 'off') return value === 'on';
  throw new InvalidArgumentError(`${key}=${value}: expected on or off${also}.`);
}

function bytes(text: string): number {
  const [, count, unit] = /^(\d+)(B|KiB|MiB)?$/.exec(text) ?? [];
  const value = Number(count) * units[unit ?? '']!;
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError(`max=${text}: expected bytes above 0, such as 65536, 64KiB or 1MiB.`);
}
