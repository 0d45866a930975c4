import { describe, expect, it } from 'vitest';
import { deviceProviders, isDeviceSetting, type SessionDevice } from './devices.ts';
import { findDevices } from './find-devices.ts';

/** A machine with two CUDA cards. */
function machine() {
  const tried: SessionDevice[] = [];
  const probe = async (device: SessionDevice): Promise<string> => {
    tried.push(device);
    return ['cuda:0', 'cuda:1'].includes(device.name) ? '' : `no ${device.name}`;
  };
  return { tried, ports: { providers: deviceProviders, probe } };
}

describe('finding devices', () => {
  it('tries each that is named once, and never the CPU', async () => {
    const { tried, ports } = machine();
    const found = await findDevices(['cpu', 'cuda', 'cuda:0', 'cuda:5', 'webgpu'], ports);
    expect(found.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'cpu available',
      'cuda:0 available',
      'cuda:5 missing',
      'webgpu missing',
    ]);
    expect(tried.map(({ name }) => name)).toEqual(['cuda:0', 'cuda:5', 'webgpu']);
    expect(tried[1]).toEqual({
      name: 'cuda:5',
      provider: { name: 'cuda', deviceId: 5 },
      cpuToo: false,
      oneThread: false,
    });
  });

  it('says of one that is missing why, and how it is installed', async () => {
    const [cuda, webgpu] = await findDevices(['cuda:5', 'webgpu'], machine().ports);
    expect(cuda!.detail).toMatch(/^no cuda:5\. CUDA needs .*ONNXRUNTIME_NODE_INSTALL=cuda12 node .*install\.js/);
    expect(webgpu!.detail).toMatch(/^no webgpu\. WebGPU .*libvulkan1/);
  });

  it('with auto takes all that are there, and of a kind no more than up to the first that is not', async () => {
    const { tried, ports } = machine();
    expect((await findDevices(['auto'], ports)).map(({ name }) => name)).toEqual(['cpu', 'cuda:0', 'cuda:1']);
    expect(tried.map(({ name }) => name).sort()).toEqual(['cuda:0', 'cuda:1', 'cuda:2', 'webgpu']);
    const endless = { ...ports, probe: async () => '' };
    expect(await findDevices(['auto'], endless)).toHaveLength(1 + 16 + 1);
  });

  it('takes the names of the providers that there are, as sluice.yaml does, and no others', () => {
    const good = ['auto', 'cpu', 'cuda', 'cuda:0', 'cuda:999', 'webgpu'];
    const bad = ['', 'gpu', 'cuda:', 'cuda:01', 'cuda:1000', 'cpu:0', 'webgpu:1', 'CPU', 'cuda:-1', 'fake:0', 'xcuda'];
    expect([good.filter(isDeviceSetting), bad.filter(isDeviceSetting)]).toEqual([good, []]);
  });
});
