import { execFile } from 'node:child_process';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { inferenceService } from '@sluice/contracts/services';
import { SluiceError } from '@sluice/domain/errors';
import { buildInferResponse } from '@sluice/inference/infer-response';
import { scanInferRequest } from '@sluice/inference/scan';
import { raw } from '@sluice/rpc/handlers';
import type { RawCall } from '@sluice/rpc/handlers';
import { RpcError } from '@sluice/rpc/status';
import { transports } from '@sluice/rpc/transport/transport';
import { keptPort } from '@sluice/testkit/kept-port';
import { describe, expect, it } from 'vitest';
import { createOipClient } from '../src/oip-client.ts';
import type { Inference, OipClientOptions } from '../src/oip-client.ts';
import { cleanups } from './cleanups.ts';
import { serve } from './world.ts';

const inference: Inference = {
  model: 'digits',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }],
};

/** Answers with the doubled sum of what a real request says about itself. */
function answer(call: RawCall, version = '3'): void {
  call.setTrailer('sluice-prediction-id', 'p-from-trailer');
  const parameters = new Map([
    ['sluice_arm', { kind: 'string', value: 'primary' } as const],
    ['steps', { kind: 'int64', value: 4n } as const],
  ]);
  const outputs = [
    { name: 'y', datatype: 'FP32' as const, shape: [1, 2], data: new Uint8Array(new Float32Array([2, 4]).buffer) },
    { name: 'label', datatype: 'BYTES' as const, shape: [1], data: ['malignant'] },
  ];
  call.respond(buildInferResponse({ modelName: 'digits', modelVersion: version, id: 'i1', parameters, outputs }));
}

describe.each(transports)('OipClient on %s', (transport) => {
  function client(address: string, options: OipClientOptions = {}) {
    const made = createOipClient(address, { transport, ...options });
    cleanups.push(() => made.close());
    return made;
  }

  it('sends tensors and reads the answer with what Sluice adds to it', async () => {
    const seen: Record<string, unknown>[] = [];
    const agents: (string | undefined)[] = [];
    const { port } = await serve(inferenceService, {
      modelInfer: raw((request, call) => {
        const header = scanInferRequest(request);
        agents.push(call.metadata('user-agent'));
        seen.push({ model: header.modelName, version: header.modelVersion, subject: call.metadata('sluice-subject') });
        answer(call);
      }),
    });
    const result = await client(`127.0.0.1:${port}`).infer(
      { ...inference, version: 'mlp', parameters: { note: 'x' } },
      { metadata: { 'sluice-subject': 's1' } },
    );
    expect(seen).toEqual([{ model: 'digits', version: 'mlp', subject: 's1' }]);
    // grpc-js says who it is.
    expect(agents[0] === undefined).toBe(transport === 'wire');
    expect(result).toMatchObject({
      model: 'digits',
      version: '3',
      id: 'i1',
      predictionId: 'p-from-trailer',
      arm: 'primary',
    });
    expect(result.parameters['steps']).toBe(4n);
    expect(result.output('y').values).toEqual(new Float32Array([2, 4]));
    expect(result.output('label').values).toEqual(['malignant']);
    expect(() => result.output('z')).toThrow("the answer has no output 'z', it has: y, label");
  });

  it('waits for a router that is away or not ready, within the deadline', async () => {
    let calls = 0;
    const handlers = {
      modelInfer: raw((_request, call) => {
        calls++;
        if (calls < 3) call.fail(new SluiceError('unavailable', 'digits is loading'));
        else answer(call);
      }),
    };
    const first = await serve(inferenceService, handlers, await keptPort());
    await first.server.tryShutdown(0);
    const waiting = client(`127.0.0.1:${first.port}`, { timeoutMs: 10_000 }).infer(inference);
    await serve(inferenceService, handlers, first.port);
    expect((await waiting).version).toBe('3');
    expect(calls).toBe(3);
  });

  /** What stands between client and router; `cut` breaks every connection, as a killed router would. */
  async function cable(port: number) {
    const sockets = new Set<Socket>();
    const listener = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(socket);
        socket.on('error', () => undefined).pipe(other);
      }
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const cut = (): void => {
      for (const socket of sockets) socket.resetAndDestroy();
    };
    cleanups.push(() => {
      listener.close();
      cut();
    });
    return { port: (listener.address() as AddressInfo).port, cut };
  }

  it('survives a connection that breaks under its request, but does not repeat one of a sequence', async () => {
    let seen = 0;
    const { port } = await serve(inferenceService, {
      modelInfer: raw((_request, call) => {
        if (++seen % 2 === 1) between.cut();
        else answer(call);
      }),
    });
    const between = await cable(port);
    const oip = client(`127.0.0.1:${between.port}`);
    expect((await oip.infer(inference)).version).toBe('3');
    expect(seen).toBe(2);
    const inSequence = oip.infer({ ...inference, parameters: { sequence_id: 7 } });
    await expect(inSequence).rejects.toMatchObject({ kind: 'unavailable', origin: 'lost' });
    expect(seen).toBe(3);
  });

  it('goes to another router when one stops', async () => {
    const stopping = await serve(inferenceService, { modelInfer: raw(() => void stopping.server.tryShutdown(0)) });
    const other = await serve(inferenceService, { modelInfer: raw((_request, call) => answer(call, '7')) });
    const both = client(`127.0.0.1:${stopping.port},127.0.0.1:${other.port}`);
    expect((await both.infer(inference)).version).toBe('7');
  });

  it('keeps a program alive that only waits', async () => {
    const program = path.join(import.meta.dirname, 'lonely-process.ts');
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@sluice/source', program, transport]);
    expect(stdout).toMatch(/^127\.0\.0\.1:1 cannot be reached: connect ECONNREFUSED/);
  });

  it('gives up at once on what cannot get better, with the prediction id', async () => {
    const { port } = await serve(inferenceService, {
      modelInfer: raw((_request, call) => {
        call.setTrailer('sluice-prediction-id', 'p-1');
        call.fail(new SluiceError('not-found', 'Request for unknown model: digits'));
      }),
    });
    const error: unknown = await client(`127.0.0.1:${port}`)
      .infer(inference)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({ kind: 'not-found', message: 'Request for unknown model: digits' });
    expect((error as RpcError).trailers['sluice-prediction-id']).toBe('p-1');
  });

  it('ends at its deadline, at its signal, and says who could not be reached', async () => {
    const { port } = await serve(inferenceService, { modelInfer: raw(() => undefined) });
    const slow = client(`127.0.0.1:${port}`);
    await expect(slow.infer(inference, { timeoutMs: 100 })).rejects.toMatchObject({ kind: 'deadline-exceeded' });
    const controller = new AbortController();
    const call = slow.infer(inference, { signal: controller.signal });
    setImmediate(() => controller.abort());
    await expect(call).rejects.toMatchObject({ kind: 'cancelled' });
    await expect(slow.infer(inference, { signal: controller.signal })).rejects.toMatchObject({ kind: 'cancelled' });
    const nobody = client('127.0.0.1:1', { retryForMs: 0 });
    await expect(nobody.infer(inference)).rejects.toThrow(/^127\.0\.0\.1:1 cannot be reached: /);
  });

  it('asks for liveness, readiness and metadata', async () => {
    const { port } = await serve(inferenceService, {
      serverLive: async () => ({ live: true }),
      serverReady: async () => ({ ready: false }),
      modelReady: async ({ name, version }) => ({ ready: name === 'digits' && version === 'cnn' }),
      modelMetadata: async ({ name }) => ({
        name,
        versions: ['1'],
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }],
      }),
    });
    const oip = client(`127.0.0.1:${port}`);
    expect(await oip.serverLive()).toBe(true);
    expect(await oip.serverReady()).toBe(false);
    expect(await oip.modelReady('digits', 'cnn')).toBe(true);
    expect((await oip.modelMetadata('digits')).inputs[0]).toMatchObject({ name: 'x', shape: ['-1'] });
    await expect(oip.rpc.modelConfig({})).rejects.toMatchObject({ kind: 'unimplemented' });
  });
});
