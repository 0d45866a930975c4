import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { eventually } from '@sluice/testkit/eventually';
import { identityModel } from '@sluice/testkit/onnx-builder';
import { describe, expect, it } from 'vitest';
import type { Platform } from './platform.ts';

const name = 'team/released';

/** Releases and capture policies as people type them, on a running platform. */
export function describeReleases(platform: () => Platform, temporaryFolder: () => Promise<string>): void {
  const sluice: Platform['sluice'] = (...args) => platform().sluice(...args);

  describe('a release', () => {
    it('is put, shown and ended, and its capture policy follows the model', async () => {
      const folder = await temporaryFolder();
      await writeFile(path.join(folder, 'm.onnx'), identityModel('FP32'));
      for (const tag of ['one', 'two']) {
        const manifest = `tags: [${tag}]\nsignature: { inputs: [{ name: x, features: [age, income, height] }] }\n`;
        await writeFile(path.join(folder, 'sluice.yaml'), manifest);
        expect(await sluice('push', name, folder)).toMatchObject({ code: 0 });
      }
      const set = (...args: string[]) => sluice('model', 'set', name, ...args);
      expect(await set('--approvals', '0')).toMatchObject({ code: 0 });
      expect((await sluice('release', 'show', name)).out).toMatch(/neither a release nor champion nor a pin/);
      expect(await sluice('alias', 'set', name, 'champion', '1')).toMatchObject({ code: 0 });

      const put = (...args: string[]) => sluice('release', 'put', name, ...args);
      const arms = ['--arm', 'primary=champion:0', '--arm', 'next=2:1', '--mode', 'canary'];
      const shown = await put(...arms, '--rule', 'x-region=eu:next');
      expect(shown).toMatchObject({ code: 0, notes: '' });
      expect(shown.out).toMatch(/^arms +canary: version 1 \(primary, 0 %\), version 2 \(candidate "next", 100 %\)$/m);
      expect(shown.out).toMatch(/^rules +rule-1: x-region "eu" goes to next$/m);
      expect((await sluice('release', 'show', name)).out).toBe(shown.out);
      expect((await sluice('model', 'show', name)).out).toMatch(/^release +canary: version 1 .*"next", 100 %\)$/m);
      const rows = path.join(folder, 'rows.csv');
      await writeFile(rows, 'age,income,height\n1,2,3\n');
      await eventually(async () => {
        expect((await sluice('infer', name, rows, '--json')).json()).toMatchObject({ versions: ['2'] });
      });
      expect((await sluice('delete', name, '2')).notes).toContain(`\`sluice release end ${name}\``);

      const capture = ['--capture', 'rate=0.1,payload=on', '--retention', 'short', '--durability', 'durable'];
      const policy =
        '10 % of predictions, requests, responses, payloads up to 64.0 KiB, kept short, durable, redacted: age';
      expect((await set(...capture, '--redact', 'age')).out).toContain(policy);
      expect((await sluice('release', 'show', name)).out).toContain(`${policy}; the model's`);
      const again = await put(...arms, '--retention', 'long');
      expect(again.out).toMatch(/kept long, durable, redacted: age; its own$/m);
      expect([again.notes, again.out]).toEqual([
        'kept from the release before: 1 rule (--rule or --no-rules)',
        expect.stringContaining('rule-1: x-region "eu" goes to next'),
      ]);
      const weights = ['--arm', 'primary=1:1', '--arm', 'next=2:1'];
      const kept = await put(...weights);
      expect(kept.notes).toMatch(/^kept .*: mode canary \(--mode\), 1 rule .*, its own capture policy /);
      expect(kept.out).toMatch(/^arms +canary: [^]*^rules +rule-1: [^]*kept long, durable, redacted: age; its own$/m);
      expect((await put(...weights, '--no-rules', '--no-own-capture')).out).not.toMatch(/^rules|its own$/m);
      const then = await sluice('asof', name, '2100-01-01T00:00:00Z');
      expect(then.out).toMatch(/^capture +10 % of .*kept short, durable, redacted: age; the model's$/m);
      expect(then.out).toMatch(/^labels +the latest, whoever it is from$/m);
      await put(...arms, '--retention', 'long');
      expect((await set('--redact', '')).out).not.toMatch(/^capture .*redacted/m);
      expect((await sluice('model', 'show', name)).out).toMatch(
        /of the release: .*kept long, durable, redacted: age$/m,
      );

      const labels = /^labels +of clinic, then survey; where none has one, the latest$/m;
      expect((await set('--labels', 'trusted=clinic,survey')).out).toMatch(labels);
      expect((await sluice('asof', name, '2100-01-01T00:00:00Z')).out).toMatch(labels);
      expect((await set('--labels', 'latest')).out).toMatch(/^labels +the latest/m);

      const moved = await sluice('alias', 'set', name, 'champion', '2');
      expect(moved).toMatchObject({ code: 0, notes: expect.stringMatching(/does not move what answers/) as unknown });
      expect((await sluice('release', 'show', name)).out).toContain('version 1 (primary');
      expect(await sluice('release', 'end', name)).toMatchObject({
        ...{ code: 0, notes: '', out: `${name}: ended; now fixed: version 2 (primary, 100 %), implicit` },
      });
      expect(await sluice('release', 'end', name)).toMatchObject({ code: 3 });
    });

    it('is refused with what is wrong', async () => {
      const refused = async (code: number, notes: RegExp, ...args: string[]) =>
        expect(await sluice(...args)).toMatchObject({ code, notes: expect.stringMatching(notes) as unknown });
      const arms = ['--arm', 'primary=1:9', '--arm', 'next=2:1'];
      await refused(2, /no arms/, 'release', 'put', name);
      await refused(2, /Expected NAME=VERSION:WEIGHT/, 'release', 'put', name, '--arm', 'next');
      await refused(2, /Allowed choices are fixed, ab/, 'release', 'put', name, ...arms, '--mode', 'bandit');
      await refused(2, /the primary alone/, 'release', 'put', name, ...arms, '--mode', 'fixed');
      await refused(3, /arms\[0\]\.version: .* has no version 9/, 'release', 'put', name, '--arm', 'primary=9:1');
      await refused(4, /expected_revision: /, 'release', 'put', name, ...arms, '--expected-revision', '1');
      await refused(2, /feature "agee"; there are age, height/, 'model', 'set', name, '--redact', 'agee');
      await refused(2, /rate=2: expected a share/, 'model', 'set', name, '--capture', 'rate=2');
      await refused(2, /max_payload_bytes: 67108865 given/, 'model', 'set', name, '--capture', 'max=67108865');
      await refused(2, /rate=0x1: expected a share/, 'model', 'set', name, '--capture', 'rate=0x1');
      await refused(2, /trusted=SOURCE/, 'model', 'set', name, '--labels', 'trusted=');
      await refused(3, /--arm b=nope: .* no alias nope/, 'release', 'put', name, '--arm', 'a=1:1', '--arm', 'b=nope:1');
      const wrapped = String(2n ** 64n + 1n);
      await refused(2, /at most 9007199254740991/, 'release', 'end', name, '--expected-revision', wrapped);
      await refused(2, /nothing to change/, 'model', 'set', name);
    });
  });
}
