import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { registryService, watchService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { graph, model, node, value } from '@sluice/testkit/onnx-builder';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { describeBatch } from './batch.ts';
import { describeBatchMemory } from './batch-memory.ts';
import { describeBench } from './bench-platform.ts';
import { describeChanges } from './changes.ts';
import { describeErase } from './erase.ts';
import { describeExport } from './export.ts';
import { describeJsonDocuments } from './json-documents.ts';
import { describeLabels } from './labels.ts';
import { examples, type Platform, run, startPlatform } from './platform.ts';
import { describeProvenance } from './provenance.ts';
import { describeReleases } from './releases.ts';
import { startProgram } from './program.ts';

let platform: Platform;
let sluice: Platform['sluice'];

beforeAll(async () => {
  platform = await startPlatform();
  sluice = platform.sluice;
}, 240_000);
afterAll(() => platform.stop());

const holdout = (name: string) => path.join(examples, name, 'holdout.csv');

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe('looking', () => {
  it('lists models, versions and runtimes, for people and as JSON', async () => {
    const models = await sluice('models');
    expect(models).toMatchObject({ code: 0, notes: '' });
    expect(models.out).toMatch(/^MODEL +VERSIONS +ALIASES/);
    expect(models.out).toMatch(/^digits +3 +champion=3 cnn=3 linear=1 mlp=2 /m);
    expect((await sluice('models', '--json')).json()).toMatchObject([{ name: 'digits' }, { name: 'wdbc' }]);
    expect((await sluice('versions', 'digits')).out).toMatch(/^2 +ready +mlp +\d{4}-/m);
    const shown = (await sluice('show', 'wdbc', 'forest')).out;
    expect(shown).toMatch(/^input +features {2}FP32 \[batch, 30\]$/m);
    expect(shown).toMatch(/^batch-independence +ok +20 random pairs/m);
    expect((await sluice('--json', 'show', 'wdbc', 'forest')).json()).toMatchObject({
      number: '2',
      signature: { batched: true },
    });
    expect((await sluice('model', 'show', 'digits')).out).toMatch(
      /^release +fixed: version 3 \(primary, 100 %\), implicit$/m,
    );
    const runtimes = await sluice('runtimes');
    expect(runtimes.out).toMatch(/^runtime-1 +yes +default .*digits:3 ready/m);
    expect(runtimes.out).toMatch(/^ROUTER +LIVE/m);
  });

  it('ends with the status that scripts expect, and says what to do', async () => {
    expect(await sluice('show', 'nothing')).toMatchObject({ code: 3 });
    expect((await sluice('show', 'digits', '99')).notes).toMatch(/version 99.*sluice versions digits/);
    expect(await sluice('mdels')).toMatchObject({
      code: 2,
      notes: expect.stringContaining('Did you mean models') as unknown,
    });
    expect(await sluice('alias', 'set', 'digits')).toMatchObject({ code: 2 });
    expect((await sluice('infer', 'digits')).notes).toMatch(/no FILE, and nothing is piped in/);
    expect(await sluice('push', 'x', '/no/such/folder')).toMatchObject({
      code: 2,
      notes: 'sluice: /no/such/folder does not exist',
    });
    expect(await sluice('show', 'digits', '1x')).toMatchObject({ code: 2 });
    const away = await run(['models', '--registry', '127.0.0.1:1']);
    expect(away).toMatchObject({
      code: 5,
      notes: expect.stringMatching(/Is a registry running.*npm start.*SLUICE_REGISTRY/) as unknown,
    });
    expect(await run(['models', '--registry', 'https://x'])).toMatchObject({ code: 2 });
  });

  it('helps on every command', async () => {
    for (const args of [['--help'], ['help', 'infer'], ['alias', 'set', '--help'], ['audit', '--help']]) {
      expect(await run(args)).toMatchObject({ code: 0, out: expect.stringContaining('Usage: sluice') as unknown });
    }
    expect((await run(['--version'])).out).toBe('0.1.0');
  });
});

describe('inference', () => {
  it.each([
    ['digits', 'linear', 'accuracy 0.8610 (514 of 597 right)'],
    ['digits', 'mlp', 'accuracy 0.9615 (574 of 597 right)'],
    ['digits', 'cnn', 'accuracy 0.9816 (586 of 597 right)'],
    ['wdbc', 'forest', 'accuracy 0.9290 (157 of 169 right)'],
  ])('of %s %s on the holdout set: %s', async (name, alias, line) => {
    const ended = await sluice('infer', name, holdout(name), '--label-column', 'label', '--model-version', alias);
    expect(ended.code).toBe(0);
    expect(ended.notes).toContain(line);
  });

  it('gives a table, CSV and JSON with prediction_id and row', async () => {
    const args = ['infer', 'digits', holdout('digits'), '--label-column', 'label', '--limit', '5', '--rows', '2'];
    const table = await sluice(...args);
    expect(table.out).toMatch(
      /^PREDICTION_ID +ROW +VERSION +PREDICTION +LABEL +PROBABILITIES\n[0-9a-f-]{36} +0 +3 +1 +1 /,
    );
    const csv = (await sluice(...args, '--output', 'csv')).out.split('\n');
    expect(csv[0]).toMatch(/^prediction_id,row,version,prediction,label,probabilities\[0\],/);
    expect(csv.slice(1).map((line) => line.split(',')[1])).toEqual(['0', '1', '0', '1', '0']);
    const json = (await sluice(...args, '--json')).json() as { rows: Record<string, unknown>[] };
    expect(json).toMatchObject({ model: 'digits', versions: ['3'], judgement: { rows: 5, right: 5, accuracy: 1 } });
    expect(new Set(json.rows.map((row) => row['prediction_id'])).size).toBe(3);
    expect(json.rows[0]).toMatchObject({
      row: 0,
      prediction: '1',
      label: '1',
      outputs: { probabilities: expect.any(Array) as unknown },
    });
  });

  it('takes columns by feature name in any order, JSON rows, and whole tensors', async () => {
    const [heading, first] = (await readFile(holdout('wdbc'), 'utf8')).split('\n');
    const names = heading!.trim().split(',');
    const cells = first!.trim().split(',');
    const folder = await temporaryFolder();
    const predict = async (file: string, content: string, ...more: string[]) => {
      await writeFile(path.join(folder, file), content);
      const ended = await sluice('infer', 'wdbc', path.join(folder, file), '--json', ...more);
      expect(ended.notes).toBe('');
      return (ended.json() as { rows: { outputs: { probabilities: number[] } }[] }).rows[0]!.outputs.probabilities;
    };
    const straight = await predict('a.csv', `${names.join(',')}\n${cells.join(',')}\n`);
    expect(await predict('b.csv', `${names.toReversed().join(',')}\n${cells.toReversed().join(',')}\n`)).toEqual(
      straight,
    );
    expect(await predict('c.csv', cells.slice(0, 30).join(','), '--no-header')).toEqual(straight);
    const object = Object.fromEntries(names.slice(0, 30).map((name, index) => [name, Number(cells[index])]));
    expect(await predict('d.json', JSON.stringify([object]))).toEqual(straight);
    expect(await predict('e.json', JSON.stringify({ features: [Object.values(object)] }))).toEqual(straight);
  });

  it('names the cell that is wrong, and what is missing', async () => {
    const folder = await temporaryFolder();
    const file = path.join(folder, 'x.csv');
    const text = await readFile(holdout('digits'), 'utf8');
    await writeFile(file, text.replace(/\n0,/, '\nnone,'));
    expect(await sluice('infer', 'digits', file, '--label-column', 'label')).toMatchObject({
      code: 2,
      notes: 'sluice: line 2, column "p0": "none" is not a number (FP32)',
    });
    await writeFile(file, 'p0,p1,p3\n1,2,3');
    expect((await sluice('infer', 'digits', file)).notes).toMatch(/the file lacks 61 of 64 columns: "p2", "p4"/);
    await writeFile(file, text);
    expect((await sluice('infer', 'digits', file, '--no-header')).notes).toMatch(/takes 64 values a row .* 65 columns/);
    expect(await sluice('infer', 'digits', file, '--label-column', 'truth')).toMatchObject({ code: 2 });
  });

  it('goes on without the registry, by order of the columns', async () => {
    const args = [
      'infer',
      'digits',
      holdout('digits'),
      '--label-column',
      'label',
      '--limit',
      '20',
      '--registry',
      '127.0.0.1:1',
    ];
    const ended = await sluice(...args);
    expect(ended).toMatchObject({
      code: 0,
      notes: expect.stringMatching(/the registry does not answer[\s\S]*accuracy 1\.0000/) as unknown,
    });
  });
});

describe('a version', () => {
  it('is pushed, approved, made champion, rolled back, pinned and deleted', async () => {
    const folder = await temporaryFolder();
    await cp(path.join(examples, 'digits', 'mlp'), path.join(folder, 'mlp'), { recursive: true });
    await writeFile(path.join(folder, 'mlp', '.hidden'), 'x');
    const pushed = await sluice('push', 'team/mine', path.join(folder, 'mlp'));
    expect(pushed.code).toBe(0);
    expect(pushed.notes).toMatch(/left out \(hidden\): \.hidden/);
    expect(pushed.notes).toMatch(/ {2}input pixels: FP32 \[batch, 64\]/);
    expect(pushed.notes).toMatch(/ {2}golden:first row of the holdout set: ok/);
    expect(pushed.out).toMatch(/^team\/mine version 1 is ready\n {2}admission: 7 checks in/);
    const again = await sluice('push', 'team/mine', path.join(examples, 'digits', 'linear.onnx'), '--json');
    expect(again.notes).toBe('');
    expect(again.json()).toMatchObject({ number: '2', state: 'VERSION_STATE_READY', createdBy: 'pusher' });
    // Nothing places it: a request brings it to a runtime, and waits for it.
    const two = ['--model-version', '2', '--label-column', 'label', '--limit', '1', '--json'];
    // The router hears of a version a moment after its push.
    await eventually(async () => {
      const brought = await sluice('infer', 'team/mine', holdout('digits'), ...two);
      expect(brought.code).toBe(0);
      expect(brought.json()).toMatchObject({ versions: ['2'] });
    });
    await eventually(async () => expect((await sluice('runtimes')).out).toMatch(/team\/mine:2 ready/));

    const refused = await sluice('alias', 'set', 'team/mine', 'champion', '1');
    expect(refused).toMatchObject({
      code: 4,
      notes: expect.stringContaining('sluice approve team/mine 1 --as NAME') as unknown,
    });
    expect(await sluice('approve', 'team/mine', '1')).toMatchObject({ code: 4 });
    expect((await sluice('approve', 'team/mine', '1', '--as', 'Zoë')).out).toMatch(
      /^Zoë approved team\/mine version 1 for champion/,
    );
    const moved = await sluice('alias', 'set', 'team/mine', 'champion', '1');
    expect(moved).toMatchObject({ code: 0, out: 'team/mine champion is version 1; 1 router has applied it' });
    expect(moved.notes).toMatch(/requested;[\s\S]*in effect; applied by 1 of 1 routers/);
    const answered = (
      await sluice('infer', 'team/mine', holdout('digits'), '--label-column', 'label', '--limit', '1', '--json')
    ).json();
    expect(answered).toMatchObject({ versions: ['1'] });

    expect(await sluice('model', 'set', 'team/mine', '--approvals', '0', '--owner', 'me')).toMatchObject({ code: 0 });
    expect(await sluice('model', 'set', 'team/mine', '--owner', 'you', '--expected-revision', '1')).toMatchObject({
      code: 4,
    });
    expect(await sluice('model', 'set', 'team/mine')).toMatchObject({ code: 2 });
    expect(await sluice('alias', 'set', 'team/mine', 'champion', '2')).toMatchObject({ code: 0 });
    expect((await sluice('rollback', 'team/mine')).out).toMatch(/^team\/mine champion is version 1;/);
    const history = await sluice('alias', 'history', 'team/mine', 'champion');
    expect(history.out).toMatch(/^champion +1 +\S+ \S+ +now +pusher/m);

    const then = await sluice('asof', 'team/mine', new Date().toISOString(), '--json');
    expect(then.json()).toMatchObject({
      aliases: [{ alias: 'champion', version: '1' }],
      versions: [{ number: '1' }, { number: '2' }],
    });
    expect((await sluice('asof', 'digits', '2020-01-01T00:00:00Z')).out).toMatch(
      /^release {2}none\ncapture {2}not known\nlabels {3}not known\n\nno aliases\n\nno versions$/,
    );
    expect(await sluice('asof', 'digits', 'yesterday')).toMatchObject({ code: 2 });

    expect((await sluice('alias', 'set', 'team/mine', 'other', 'champion', '--no-wait')).out).toMatch(
      /other to version 1: requested/,
    );
    expect((await sluice('pin', 'team/mine', '2')).out).toMatch(/is pinned/);
    expect(await sluice('delete', 'team/mine', '2')).toMatchObject({ code: 4 });
    expect(await sluice('unpin', 'team/mine', '2')).toMatchObject({ code: 0 });
  });

  it('is refused with everything that is wrong, or rejected with its reason', async () => {
    const folder = await temporaryFolder();
    await writeFile(
      path.join(folder, 'model.onnx'),
      (await readFile(path.join(examples, 'digits', 'mlp.onnx'))).subarray(0, 5000),
    );
    expect(await sluice('push', 'bad', folder)).toMatchObject({
      code: 2,
      notes: expect.stringMatching(/truncated or corrupt/) as unknown,
    });
    await copyFile(path.join(examples, 'digits', 'mlp.onnx'), path.join(folder, 'model.onnx'));
    await writeFile(path.join(folder, 'sluice.yaml'), 'ownr: me\ndevice: gpu\n');
    const typos = await sluice('push', 'bad', folder);
    expect(typos.code).toBe(2);
    expect(typos.notes).toMatch(
      /sluice\.yaml:1:1: ownr: unknown key; did you mean "owner"\?\nsluice\.yaml:2:9: device: expected cpu/,
    );
    const manifest = path.join(folder, 'sluice.yaml');
    expect((await sluice('push', 'bad', folder, '--manifest', manifest)).notes).toMatch(
      /has a sluice\.yaml of its own/,
    );
    expect(await sluice('push', 'bad', path.join(folder, 'model.onnx'), '--manifest', folder)).toMatchObject({
      code: 2,
      notes: `sluice: --manifest: ${folder} is not a file\n  Name the sluice.yaml itself, not its folder.`,
    });
    expect((await sluice('push', 'bad', path.join(folder, 'model.onnx'), '--manifest', manifest)).notes).toMatch(
      /sluice\.yaml has 2 problems/,
    );
    await rm(manifest);
    const unknown = model({
      graph: graph({
        nodes: [node('NoSuch', ['x'], ['y'])],
        inputs: [value('x', 'FP32', ['n'])],
        outputs: [value('y', 'FP32', ['n'])],
      }),
    });
    await writeFile(path.join(folder, 'model.onnx'), unknown);
    const rejected = await sluice('push', 'bad', folder);
    expect(rejected).toMatchObject({
      code: 4,
      notes: expect.stringMatching(/bad version 1 was rejected: load: .*NoSuch/) as unknown,
    });
    expect((await sluice('versions', 'bad')).out).toMatch(/^1 +rejected .*NoSuch/m);
  });
});

describeBatch(() => platform);
describeBatchMemory(() => platform);
describeExport(() => platform);
describeBench(() => platform);
describeChanges(() => platform);
describeReleases(() => platform, temporaryFolder);
describeProvenance(() => platform, temporaryFolder);
describeLabels(() => platform);
describeErase(() => platform);
describeJsonDocuments(() => platform);

describe('a router that does not apply a move', () => {
  it('is named after 10 s, and the command ends with its own status', async () => {
    const watch = createRpcClient(watchService, platform.registry, { clock: systemClock });
    const registry = createRpcClient(registryService, platform.registry, { clock: systemClock });
    const renew = () =>
      void watch.renewRouterLease({ routerId: 'stuck-router', address: '127.0.0.1:9', appliedRevision: 1 });
    renew();
    const renewing = setInterval(renew, 500);
    onTestFinished(() => {
      clearInterval(renewing);
      watch.close();
      registry.close();
    });
    const ended = await sluice('alias', 'set', 'digits', 'cnn', '2');
    expect(ended.code).toBe(6);
    expect(ended.notes).toMatch(
      /digits cnn is version 2, but after 10 s these routers have not applied it: stuck-router/,
    );
    expect(ended.notes).not.toMatch(/(?:: |, )router \(at/);
  });
});

describe('the audit log', () => {
  it('is verified, shown, and its key is printed', async () => {
    expect((await sluice('audit', 'verify')).out).toMatch(
      /^the audit log is whole: \d+ entries, \d+ checkpoints?, root [0-9a-f]{64}$/,
    );
    expect((await sluice('audit', 'verify', '--json')).json()).toMatchObject({ ok: true, problems: [] });
    const shown = await sluice('audit', 'show', 'model/digits', '--limit', '3');
    expect(shown.out.split('\n')).toHaveLength(4);
    expect((await sluice('audit', 'show', '--full', '--limit', '1')).out).toMatch(
      /\n {2}[0-9a-f]{64}\n {2}\{"action":/,
    );
    expect((await sluice('audit', 'key')).out).toMatch(/^-----BEGIN PUBLIC KEY-----/);
  });
});

describe('the program itself', () => {
  it('reads standard input and keeps results apart from notes', async () => {
    const { child, text, ended } = startProgram([
      'infer',
      'digits',
      '--router',
      platform.router,
      '--registry',
      platform.registry,
      '--label-column',
      'label',
    ]);
    child.stdin.end((await readFile(holdout('digits'), 'utf8')).split('\n').slice(0, 3).join('\n'));
    expect(await ended).toBe(0);
    expect(text.out.trim().split('\n')).toHaveLength(3);
    expect(text.err).toMatch(/2 rows by digits version \d/);
  });

  it('ends with 130 at Ctrl-C, and has said what it found until then', async () => {
    const args = ['bench', 'digits', '--router', platform.router, '-p', '600000'];
    const { child, text, ended } = startProgram(args);
    await expect.poll(() => text.err, { timeout: 30_000 }).toContain('this generator can send');
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(text.err).toMatch(/sluice: interrupted\n$/);
    expect(text.out).toMatch(/^IN FLIGHT [^]* interrupted\n/);
  });
});
