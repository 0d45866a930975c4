import { EventEmitter } from 'node:events';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.ts';
import { runService } from './service.ts';
import type { Running, ServiceState } from './service.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class FakeProcess extends EventEmitter {
  send: unknown;
  connected: boolean | undefined;

  /** Listeners for what would end the process by itself. */
  get stopListeners(): number {
    return this.listenerCount('SIGTERM') + this.listenerCount('SIGINT') + this.listenerCount('disconnect');
  }
}

function make(
  running: Partial<Running> = {},
  options: { drainMs?: number; ipc?: boolean; start?: () => Promise<Running> } = {},
) {
  const clock = new FakeClock();
  const steps: string[] = [];
  const states: ServiceState[] = [];
  const lines: Record<string, unknown>[] = [];
  const fake = new FakeProcess();
  if (options.ipc !== undefined) {
    fake.send = () => true;
    fake.connected = options.ipc;
  }
  const logger = createLogger({
    service: 's',
    instance: 's-1',
    stream: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const full: Running = {
    ports: { port: 8001, metricsPort: 8002 },
    stopAccepting: async () => void steps.push('stopAccepting'),
    finish: async () => void steps.push('finish'),
    close: async () => void steps.push('close'),
    busy: () => [],
    ...running,
  };
  const ended = runService({
    name: 'router',
    logger,
    clock,
    drainMs: options.drainMs ?? 10_000,
    process: fake,
    onState: (state) => states.push(state),
    start: options.start ?? (async () => full),
  });
  const messages = (): unknown[] => lines.map((line) => line['msg']);
  return { clock, steps, states, lines, messages, fake, ended };
}

describe('runService', () => {
  it('logs its ports when it serves, and stops in order', async () => {
    const { lines, steps, states, fake, ended } = make();
    await turn();
    expect(lines.at(-1)).toMatchObject({ msg: 'ready', port: 8001, metricsPort: 8002, severity: 'info' });
    expect(states).toEqual(['starting', 'serving']);
    fake.emit('SIGTERM');
    expect(await ended).toBe(0);
    expect(steps).toEqual(['stopAccepting', 'finish', 'close']);
    expect(states).toEqual(['starting', 'serving', 'draining', 'stopped']);
  });

  it.each(['SIGTERM', 'SIGINT'])(
    'takes its handlers away at the first %s, so that the second kills',
    async (signal) => {
      const { fake, ended } = make({ finish: () => new Promise(() => undefined) }, { ipc: true });
      await turn();
      expect(fake.stopListeners).toBe(3);
      fake.emit(signal);
      expect(fake.stopListeners).toBe(0);
      void ended;
    },
  );

  it('stops when the channel to its supervisor closes, also when it closed before', async () => {
    const open = make({}, { ipc: true });
    await turn();
    open.fake.emit('disconnect');
    expect(await open.ended).toBe(0);
    expect(open.steps).toContain('close');
    const gone = make({}, { ipc: false });
    expect(await gone.ended).toBe(0);
  });

  it('does not look at a channel that it has not', async () => {
    const { fake } = make();
    await turn();
    expect(fake.listenerCount('disconnect')).toBe(0);
  });

  it('logs who is busy each second, tells them at the end of the budget, and closes anyway', async () => {
    let aborted = false;
    const { clock, fake, messages, lines, steps, ended } = make(
      {
        finish: (signal) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => {
              aborted = true;
              resolve();
            });
          }),
        busy: () => ['ModelInfer from 10.0.0.1 for 900 ms'],
      },
      { drainMs: 3_000 },
    );
    await turn();
    fake.emit('SIGTERM');
    await turn();
    for (let second = 0; second < 2; second++) {
      clock.advance(1_000);
      await turn();
    }
    expect(messages().filter((message) => message === 'still busy')).toHaveLength(2);
    clock.advance(999);
    expect(aborted).toBe(false);
    clock.advance(1);
    expect(aborted).toBe(true);
    expect(await ended).toBe(0);
    expect(steps).toEqual(['stopAccepting', 'close']);
    const spent = lines.find((line) => String(line['msg']).startsWith('drain budget spent'));
    expect(spent).toMatchObject({ severity: 'warn', busy: ['ModelInfer from 10.0.0.1 for 900 ms'] });
  });

  it('goes on without a step that never ends, and says so', async () => {
    const { clock, fake, messages, ended } = make({
      finish: () => new Promise(() => undefined),
      close: () => new Promise(() => undefined),
    });
    await turn();
    fake.emit('SIGTERM');
    for (let second = 0; second < 20; second++) {
      await turn();
      clock.advance(1_000);
    }
    expect(await ended).toBe(1);
    expect(messages()).toContain('draining did not end in time; going on without it');
    expect(messages()).toContain('closing did not end in time; going on without it');
  });

  it('closes although draining failed', async () => {
    const { fake, steps, ended } = make({ stopAccepting: async () => Promise.reject(new Error('x')) });
    await turn();
    fake.emit('SIGTERM');
    expect(await ended).toBe(1);
    expect(steps).toEqual(['close']);
  });

  it.each(['uncaughtException', 'unhandledRejection'])('logs an %s, drains and exits with 1', async (event) => {
    const { fake, lines, steps, ended } = make();
    await turn();
    fake.emit(event, new Error('broken'));
    expect(await ended).toBe(1);
    expect(steps).toEqual(['stopAccepting', 'finish', 'close']);
    expect(lines.find((line) => line['severity'] === 'fatal')).toMatchObject({ err: { message: 'broken' } });
  });

  it('fails when it cannot start, and stops when told so while it starts', async () => {
    await expect(make({}, { start: async () => Promise.reject(new Error('port taken')) }).ended).rejects.toThrow(
      'port taken',
    );
    const slow = make({}, { start: () => new Promise(() => undefined) });
    slow.fake.emit('SIGTERM');
    expect(await slow.ended).toBe(0);
    expect(slow.states).toEqual(['starting', 'stopped']);
  });
});
