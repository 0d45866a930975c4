import { createLogger } from '@sluice/service-kit/logger';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { ConnectionError, ConnectionLost } from '@sluice/wire/errors';
import { TlsFault } from '@sluice/wire/tls';
import { expect, it } from 'vitest';
import { connectionLog } from './connection-log.ts';

function start() {
  const clock = new FakeClock();
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const log = connectionLog(createLogger({ service: 't', instance: 't1', level: 'debug', stream: { write } }), clock);
  return { clock, lines, log };
}

const calm = (): Error => new ConnectionError('ENHANCE_YOUR_CALM', 'too many frames (pings)');

it('what a peer did is a warning, of each kind one in ten seconds with the count of the others', () => {
  const { clock, lines, log } = start();
  for (let count = 0; count < 1000; count++) log.connectionFailed(`10.0.0.1:${count}`, calm());
  log.connectionFailed('10.0.0.2:1', new ConnectionError('PROTOCOL_ERROR', 'DATA on stream 0'));
  clock.advance(9_999);
  log.connectionFailed('10.0.0.3:1', calm());
  clock.advance(1);
  log.connectionFailed('10.0.0.4:1', calm());
  const line = { severity: 'warn', msg: 'a connection was ended for what its peer did' };
  expect(lines).toMatchObject([
    { ...line, peer: '10.0.0.1:0', fault: 'ENHANCE_YOUR_CALM', why: 'too many frames (pings)' },
    { ...line, peer: '10.0.0.2:1', fault: 'PROTOCOL_ERROR', why: 'DATA on stream 0' },
    { ...line, peer: '10.0.0.4:1', fault: 'ENHANCE_YOUR_CALM', unlogged: 1000 },
  ]);
  expect(lines[0]).not.toHaveProperty('unlogged');
});

it('connections beyond the limit are a warning, likewise', () => {
  const { clock, lines, log } = start();
  for (let count = 0; count < 1000; count++) log.connectionRefused(`10.0.0.1:${count}`);
  clock.advance(10_000);
  log.connectionRefused('10.0.0.1:2000');
  expect(lines).toMatchObject([
    { severity: 'warn', peer: '10.0.0.1:0', msg: expect.stringMatching(/refused/) as string },
    { severity: 'warn', peer: '10.0.0.1:2000', unlogged: 999 },
  ]);
});

it('handshakes that fail are warnings, by what failed, and never a defect', () => {
  const { lines, log } = start();
  const anonymous = (): Error => new TlsFault('the client showed no certificate, and it needs one', 'ERR_SSL_X');
  for (let count = 0; count < 100; count++) log.connectionFailed(`10.0.0.1:${count}`, anonymous());
  log.connectionFailed('10.0.0.2:1', new TlsFault('the protocol h2 was not negotiated (ALPN)', 'ALPN'));
  const line = { severity: 'warn', msg: 'a TLS connection did not come about' };
  expect(lines).toMatchObject([
    { ...line, peer: '10.0.0.1:0', why: 'the client showed no certificate, and it needs one' },
    { ...line, peer: '10.0.0.2:1', why: 'the protocol h2 was not negotiated (ALPN)' },
  ]);
});

it('peers that are gone are at level debug, each', () => {
  const { lines, log } = start();
  for (let count = 0; count < 2; count++) log.connectionFailed('10.0.0.1:1', new ConnectionLost('read ECONNRESET'));
  log.connectionFailed('10.0.0.1:2', new ConnectionError('NO_ERROR', 'no answer to a ping within 20000 ms'));
  expect(lines.map(({ severity, msg }) => [severity, msg])).toEqual(Array(3).fill(['debug', 'a connection was lost']));
});

it('a defect of ours is an error, with its stack', () => {
  const { lines, log } = start();
  for (let count = 0; count < 2; count++) log.connectionFailed('10.0.0.1:1', new TypeError('x is undefined'));
  expect(lines).toMatchObject([{ severity: 'error', msg: expect.stringMatching(/defect/) as string }]);
  expect(JSON.stringify(lines)).toContain('x is undefined');
});
