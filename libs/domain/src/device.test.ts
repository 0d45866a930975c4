import { describe, expect, it } from 'vitest';
import {
  askedDevices,
  checkOffered,
  describeGroups,
  deviceGroupsOf,
  isAsked,
  isFor,
  isForPool,
  whereItGoes,
  whyNobody,
} from './device.ts';

const on = (...devices: readonly string[]) => ({
  ...{ instanceCount: 0, device: '' },
  instanceGroups: devices.map((device) => ({ count: 1, device })),
});
const runtime = (pool: string, ...devices: readonly string[]) => ({ pool, devices });

describe('the pool of a version', () => {
  it('is default, and any for those that ask for more than the CPU', () => {
    expect([isForPool(on('cpu'), 'default'), isForPool(on(), 'default'), isForPool(on('cuda'), 'default')]).toEqual([
      true,
      true,
      true,
    ]);
    expect([isForPool(on('cpu'), 'gpu'), isForPool(on('cuda:1', 'cpu'), 'gpu')]).toEqual([false, true]);
  });
});

describe('devices that are asked for', () => {
  it('are those of the groups, each once, or the one of the version; nothing named is the CPU', () => {
    expect(askedDevices(on('cuda:1', 'cpu', 'cuda:1'))).toEqual(['cuda:1', 'cpu']);
    expect(askedDevices({ instanceCount: 3, device: 'webgpu', instanceGroups: [] })).toEqual(['webgpu']);
    expect(deviceGroupsOf({ instanceCount: 3, device: '', instanceGroups: [] })).toEqual([{ count: 3, device: 'cpu' }]);
  });

  it('are met by their own kind: without a number by any of it, with one by that one', () => {
    const asks = [
      ['cuda', 'cuda:0'],
      ['cuda', 'cuda:7'],
      ['cuda:1', 'cuda:1'],
      ['webgpu', 'webgpu'],
    ] as const;
    expect(asks.map(([asked, offered]) => isAsked(asked, offered))).toEqual([true, true, true, true]);
    const others = [
      ['cuda:1', 'cuda:10'],
      ['cuda:1', 'cuda:0'],
      ['cuda:0', 'cuda'],
      ['cuda', 'cpu'],
      ['cpu', 'cuda:0'],
    ] as const;
    expect(others.map(([asked, offered]) => isAsked(asked, offered))).toEqual(others.map(() => false));
  });

  it('are told with how many sessions each has', () => {
    const groups = [
      { count: 2, device: 'cuda:0' },
      { count: 0, device: 'cpu' },
    ];
    expect(describeGroups(groups)).toBe('cuda:0 ×2, cpu');
  });
});

describe('a runtime loads a version', () => {
  it('for the CPU in pool default alone, where it offers the CPU; one that names no devices does', () => {
    expect(isFor(on('cpu'), runtime('default', 'cpu'))).toBe(true);
    expect(isFor(on('cpu'), runtime('default'))).toBe(true);
    expect(isFor(on('cpu'), runtime('gpu', 'cpu', 'cuda:0'))).toBe(false);
    expect(isFor(on('cpu'), runtime('default', 'cuda:0'))).toBe(false);
  });

  it('for other devices in every pool, where it offers all of them', () => {
    expect(isFor(on('cuda'), runtime('gpu', 'cuda:3'))).toBe(true);
    expect(isFor(on('cuda'), runtime('default', 'cpu', 'cuda:0'))).toBe(true);
    expect(isFor(on('cuda'), runtime('default'))).toBe(false);
    expect(isFor(on('cuda:1'), runtime('gpu', 'cuda:0'))).toBe(false);
    expect(isFor(on('cuda', 'cpu'), runtime('gpu', 'cuda:0'))).toBe(false);
    expect(isFor(on('cuda', 'cpu'), runtime('gpu', 'cuda:0', 'cpu'))).toBe(true);
  });

  it('of which people read where it goes, and who has what', () => {
    expect([whereItGoes(on('cpu')), whereItGoes(on('cuda:1', 'cpu'))]).toEqual([
      'pool default',
      'a pool that offers cuda:1 and cpu',
    ]);
    const runtimes = [runtime('gpu', 'cuda:1', 'cpu'), runtime('default'), runtime('gpu', 'cuda:0')];
    expect(whyNobody(on('webgpu'), runtimes)).toBe(
      'no live runtime offers webgpu: pool default has cpu; pool gpu has cpu, cuda:0, cuda:1',
    );
    expect(whyNobody(on('webgpu'), [])).toBe('no live runtime offers webgpu: no runtime is live');
    expect(whyNobody(on('cpu'), runtimes)).toBe('pool default has no live runtime');
  });
});

describe('a version that nobody can load', () => {
  const version = (...devices: readonly string[]) => ({ model: 'm', number: 3, serving: on(...devices) });

  it('is refused with what it asks for and what there is', () => {
    expect(() => checkOffered(version('cuda', 'cpu'), [runtime('default', 'cpu'), runtime('gpu', 'cuda:0')])).toThrow(
      'version: m version 3 cannot be loaded: no live runtime offers cuda and cpu: pool default has cpu; pool gpu has ' +
        'cuda:0. Start a model-server with --devices=cuda,cpu, or push the version for another device',
    );
    expect(() => checkOffered(version('webgpu'), [])).toThrow('no live runtime offers webgpu: no runtime is live');
  });

  it('is not refused for the CPU, nor where one runtime has it', () => {
    checkOffered(version('cpu'), []);
    checkOffered(version('cuda'), [runtime('default'), runtime('gpu', 'cuda:1')]);
  });
});
