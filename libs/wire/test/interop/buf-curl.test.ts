import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ReflectionService, loadSync } from '../peers.ts';
import { cleanUp, serve } from './echo.ts';
import type { Served } from './echo.ts';
import { bufCurl, here } from './programs.ts';

afterEach(cleanUp);

const proto = path.join(here, 'echo.proto');

/** Answers, one JSON value behind the other. */
const values = (text: string): unknown[] => JSON.parse(`[${text.trim().replace(/\}\s*\{/g, '},{')}]`) as unknown[];

describe('buf curl, with a schema of its own', () => {
  const curl = (address: string, method: string, data: string, ...parameters: string[]) =>
    bufCurl(['--schema', proto, '--data', data, ...parameters, `http://${address}/test.Echo/${method}`]);

  it('calls of every kind', async () => {
    const { address, failures } = await serve();
    const [unary, download, upload, chat] = await Promise.all([
      curl(address, 'Unary', '{"text":"one"}'),
      curl(address, 'Download', '{"text":"again"}', '-H', 'x-count: 3'),
      curl(address, 'Upload', '{"text":"a"}{"text":"b"}'),
      curl(address, 'Chat', '{"text":"a"}{"text":"b"}'),
    ]);
    expect([unary, download, upload, chat].map(({ err }) => err)).toEqual(['', '', '', '']);
    expect(values(unary.out.toString())).toEqual([{ text: 'one' }]);
    expect(values(download.out.toString())).toEqual(Array(3).fill({ text: 'again' }));
    expect(values(upload.out.toString())).toEqual([{ text: 'b' }]);
    expect(values(chat.out.toString())).toEqual([{ text: 'a' }, { text: 'b' }]);
    expect(failures).toEqual([]);
  });

  it('a status with details', async () => {
    const { address } = await serve();
    const { code, err } = await curl(address, 'Unary', '{}', '-H', 'x-status: 5');
    // It ends with eight times the code of gRPC.
    expect(code).toBe(40);
    expect(JSON.parse(err)).toMatchObject({ code: 'not_found', message: 'wie gewünscht: 100 % →' });
  });

  it('fields before and behind the answer', async () => {
    const { address } = await serve();
    const { err } = await curl(address, 'Unary', '{}', '-v', '-H', 'head-a: first', '-H', 'tail-b: last');
    expect(err).toMatch(/head-a: first[^]*tail-b: last/i);
  });
});

describe('@grpc/reflection, mounted as it is', () => {
  const serveReflection = (): Promise<Served> =>
    serve({}, {}, (wire) => {
      const definition = loadSync(proto, { keepCase: true });
      new ReflectionService(definition).addToServer(wire);
    });

  it.each(['grpc-v1', 'grpc-v1alpha'])('buf curl asks what there is, and calls it: %s', async (protocol) => {
    const { address, failures } = await serveReflection();
    const reflect = ['--reflect-protocol', protocol];
    const [listed, called] = await Promise.all([
      bufCurl([...reflect, '--list-methods', `http://${address}`]),
      bufCurl([...reflect, '--data', '{"text":"found"}', `http://${address}/test.Echo/Unary`]),
    ]);
    expect([listed.err, called.err]).toEqual(['', '']);
    expect(listed.out.toString().trim().split('\n')).toEqual(
      expect.arrayContaining(['Unary', 'Download', 'Upload', 'Chat'].map((name) => `test.Echo/${name}`)),
    );
    expect(values(called.out.toString())).toEqual([{ text: 'found' }]);
    expect(failures).toEqual([]);
  });

  it('a symbol that is not there', async () => {
    const { address } = await serveReflection();
    const { code, err } = await bufCurl(['--reflect', '--data', '{}', `http://${address}/test.Other/Unary`]);
    expect(code).not.toBe(0);
    expect(err).toMatch(/test\.Other/);
  });
});
