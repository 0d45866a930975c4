import path from 'node:path';
import { createOipClient } from '@sluice/client/oip-client';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it, onTestFinished } from 'vitest';
import { examples, type Platform } from './platform.ts';
import { startProgram } from './program.ts';

const name = 'team/people';
const subject = 'patient-7';
const pixels = Float32Array.from({ length: 64 }, (_, index) => index % 17);

/** `sluice erase` of somebody of whom something is kept, on a running platform. */
export function describeErase(platform: () => Platform): void {
  const sluice: Platform['sluice'] = (...args) => platform().sluice(...args);
  const done = async (...args: string[]) => {
    const ended = await sluice(...args);
    expect([args, ended.code]).toEqual([args, 0]);
    return ended.out;
  };

  describe('erase', () => {
    it(
      'erases what is kept of a subject, says what is pending still, and waits for it',
      { timeout: 90_000 },
      async () => {
        const client = createOipClient(platform().router);
        onTestFinished(() => client.close());
        const ask = async (id: string): Promise<string> => {
          const inputs = [{ name: 'pixels', datatype: 'FP32' as const, shape: [1, 64], data: pixels }];
          const metadata = { 'sluice-subject': subject };
          return (await client.infer({ model: name, version: '1', id, inputs }, { metadata })).predictionId;
        };
        const shown = (id: string) => done('prediction', 'show', id, '--payload');
        await done('push', name, path.join(examples, 'digits', 'linear.onnx'));
        await done('model', 'set', name, '--capture', 'payload=on');
        // The first ones wait for the version, and for what is to be kept of it.
        const id = await eventually(async () => {
          const asked = await ask('a-letter');
          await eventually(async () => expect((await sluice('prediction', 'show', asked)).code).toBe(0), 10_000);
          expect(await shown(asked)).toMatch(/^request +captured, .*\n +pixels FP32 \[1, 64\]: 0, 1, 2, /m);
          return asked;
        });
        expect(await shown(id)).toMatch(/^response +captured, .*\n +probabilities FP32 \[1, 10\]: /m);

        // A text whose prediction is not there: it may be about anybody, and the order waits until that is known.
        await done('feedback', 'not-yet', '--model', name, '--text', 'it hurts');
        const erase = ['erase', subject, '--reason', 'a letter', '--request-id', 'letter-7'];
        const text = '1 text of feedback whose prediction is not there yet';
        const first = await sluice(...erase, '--no-wait', '--json');
        const order = first.json() as { erasureId: string };
        expect(first.code).toBe(6);
        expect(first.notes).toMatch(new RegExp(`the key is destroyed; still pending: (.*; )?${text}`));
        expect(order).toMatchObject({
          ...{ state: 'ERASURE_STATE_PENDING', reason: 'a letter', keysDestroyed: 1 },
          pending: { waitingFeedback: '1' },
        });
        const after = await shown(id);
        expect(after).toMatch(/^request +erased\b/m);
        expect(after).toMatch(/^response +erased\b/m);
        expect(after).not.toMatch(/pixels|probabilities/);
        expect(await done('erase', 'show', order.erasureId)).toMatch(
          new RegExp(`^state +pending$[^]*^pending +(.*; )?${text}`, 'm'),
        );

        // The same order again, which waits now. What it waits for comes when it has said so.
        const { ended, text: said } = startProgram([...erase, '--feedback', platform().env['SLUICE_FEEDBACK']!]);
        const lines = new RegExp(`^order ${order.erasureId}: 1 key destroyed\nwaiting for (.*; )?${text}`);
        await eventually(() => expect(said.err).toMatch(lines));
        await ask('not-yet');
        expect([await ended, said.out]).toEqual([0, expect.stringMatching(/^state +done$/m)]);
        expect(said.out).not.toContain('pending');
        expect(await done('erase', 'list', '--pending')).toBe('no order to erase is pending');
      },
    );
  });
}
