import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { listenForStop } from './stop.ts';
import type { StopPort } from './stop.ts';

class FakeProcess extends EventEmitter implements StopPort {
  connected: boolean | undefined;
  exit = vi.fn<(code: number) => never>();
}

describe('listenForStop', () => {
  it('takes several signals of one moment for one wish', async () => {
    const port = new FakeProcess();
    const stop = listenForStop(port, new EventEmitter());
    port.emit('SIGINT');
    port.emit('SIGINT');
    port.emit('SIGTERM');
    await expect(stop).resolves.toBe('SIGINT');
    expect(port.exit).not.toHaveBeenCalled();
  });

  it('ends at once when asked again later', async () => {
    const port = new FakeProcess();
    const at = vi.spyOn(performance, 'now').mockReturnValue(5000);
    const stop = listenForStop(port, new EventEmitter());
    port.emit('SIGTERM');
    at.mockReturnValue(6000);
    port.emit('SIGTERM');
    expect(port.exit).not.toHaveBeenCalled();
    at.mockReturnValue(6001);
    port.emit('SIGTERM');
    expect(port.exit).toHaveBeenCalledWith(130);
    at.mockRestore();
    await stop;
  });

  it('stops when its output fails, and takes no failure after that for a second wish', async () => {
    const port = new FakeProcess();
    const output = new EventEmitter();
    const at = vi.spyOn(performance, 'now').mockReturnValue(5000);
    const stop = listenForStop(port, output);
    output.emit('error', new Error('EPIPE'));
    at.mockReturnValue(9000);
    output.emit('error', new Error('EPIPE'));
    await expect(stop).resolves.toBe('nobody reads its output any more');
    expect(port.exit).not.toHaveBeenCalled();
    at.mockRestore();
  });

  it('stops when the process that started it is gone, and only listens when there is one', async () => {
    const port = new FakeProcess();
    void listenForStop(port, new EventEmitter());
    expect(port.listenerCount('disconnect')).toBe(0);
    port.connected = true;
    const stop = listenForStop(port, new EventEmitter());
    port.emit('disconnect');
    await expect(stop).resolves.toBe('the command that started it has ended');
  });
});
