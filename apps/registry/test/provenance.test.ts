import pg from 'pg';
import type { CreateDataSetVersionRequest } from '@sluice/contracts/gen/sluice/registry/v1/CreateDataSetVersionRequest';
import type { EndRunRequest } from '@sluice/contracts/gen/sluice/registry/v1/EndRunRequest';
import type {
  AuditServiceMethods,
  DataSetServiceMethods,
  RunServiceMethods,
  Service,
} from '@sluice/contracts/services';
import { auditService, dataSetService, runService } from '@sluice/contracts/services';
import { createRpcClient, type RpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeLineage } from './lineage-cases.ts';
import { linearModel, push, sha256, Site, type Replica } from './harness.ts';

let site: Site;
let replica: Replica;
let dataSets: RpcClient<DataSetServiceMethods>;
let runs: RpcClient<RunServiceMethods>;
let audit: RpcClient<AuditServiceMethods>;
const closers: (() => void)[] = [];

function connect<Methods>(service: Service<Methods>, actor = 'ann'): RpcClient<Methods> {
  const client = createRpcClient(service, replica.address, { clock: systemClock, actor });
  closers.push(() => client.close());
  return client;
}

beforeAll(async () => {
  site = await Site.open();
  replica = await site.start();
  dataSets = connect(dataSetService);
  runs = connect(runService);
  audit = connect(auditService);
});
afterAll(async () => {
  for (const close of closers) close();
  await site.close();
});

const digest = (text: string): string => sha256(Buffer.from(text));
const facts = (over: CreateDataSetVersionRequest = {}): CreateDataSetVersionRequest => ({
  ...{ dataSet: 'digits/train', digest: digest('a'), rowCount: 1200, format: 'csv', location: 's3://data/train.csv' },
  columns: [
    { name: 'p0', type: 'FP32' },
    { name: 'label', type: '' },
  ],
  ...over,
});
const add = async (over: CreateDataSetVersionRequest = {}) => dataSets.createDataSetVersion(facts(over));
const ref = (dataSet: string, version: number | string = 1) => ({ dataSet, version });
const actions = async (objectPrefix: string) =>
  (await audit.listAuditEntries({ objectPrefix })).entries.map(({ action }) => action);
const refused = async (call: Promise<unknown>, kind: string, message: RegExp) =>
  expect(call).rejects.toMatchObject({ kind, message: expect.stringMatching(message) as string });

const at = { seconds: 1_790_000_000, nanos: 0 };
let attempts = 0;
/** A run of a pipeline, of an attempt that no other test takes. */
const start = async (pipeline = 'train', inputs = [] as ReturnType<typeof ref>[]) =>
  (await runs.startRun({ pipeline, scheduledTime: at, attempt: (attempts += 1), inputs })).run!;
const end = async (run: string, over: EndRunRequest = {}) =>
  (await runs.endRun({ run, state: 'RUN_STATE_SUCCEEDED', ...over })).run!;

describe('data sets', () => {
  it('have numbered versions that say all that was said of them, once each in the log', async () => {
    const { version: first, created } = await add({ manifestJson: '{ "b": 1, "a": [2] }' });
    expect([created, first!.number, first!.createdBy]).toEqual([true, '1', 'ann']);
    await add({ dataSet: 'digits/raw' });
    const parents = [ref('digits/train'), ref('digits/raw')];
    const uncounted = facts();
    delete uncounted.rowCount;
    const { version: second } = await dataSets.createDataSetVersion({ ...uncounted, digest: digest('b'), parents });
    expect(second).toMatchObject({
      ...{ number: '2', parents: [ref('digits/raw', '1'), ref('digits/train', '1')], manifestJson: '', run: '' },
    });
    expect(second).not.toHaveProperty('rowCount');
    const get = async (version: number) =>
      (await dataSets.getDataSetVersion({ dataSet: 'digits/train', version })).version;
    expect(await get(1)).toEqual(first);
    expect(first).toMatchObject({ manifestJson: '{"a":[2],"b":1}', rowCount: '1200', columns: facts().columns });
    expect(await get(0)).toEqual(second);
    const { versions, nextPageToken } = await dataSets.listDataSetVersions({ dataSet: 'digits/train', pageSize: 1 });
    expect(versions).toEqual([{ ...first, manifestJson: '' }]);
    const rest = await dataSets.listDataSetVersions({ dataSet: 'digits/train', pageToken: nextPageToken });
    expect([rest.versions, rest.nextPageToken]).toEqual([[second], '']);
    const page = await dataSets.listDataSets({ pageSize: 1 });
    expect(page.dataSets).toMatchObject([{ name: 'digits/raw', versionCount: '1', createdBy: 'ann' }]);
    const more = await dataSets.listDataSets({ pageToken: page.nextPageToken });
    expect(more.dataSets.map(({ name, versionCount }) => [name, versionCount])).toEqual([['digits/train', '2']]);
    expect(await actions('data-set/digits/train')).toEqual(Array.from({ length: 2 }, () => 'data_set.version.created'));
    const { entries } = await audit.listAuditEntries({ objectPrefix: 'data-set/digits/train/version/2' });
    expect([entries[0]!.leafIndex, entries[0]!.actor]).toEqual([second!.revision, 'ann']);
    expect((JSON.parse(entries[0]!.canonicalJson) as { body: unknown }).body).toMatchObject({
      ...{ version: 2, digest: digest('b'), row_count: null, parents: ['digits/raw@1', 'digits/train@1'] },
    });
  });

  it('have one version that says the same, and another for the same bytes with other facts', async () => {
    const dataSet = 'same';
    const parents = [ref('digits/raw'), ref('digits/train')];
    const { version } = await add({ dataSet, parents, manifestJson: '{"a":1,"b":2}' });
    const manifestJson = '{"b":2,"a":1}';
    const again = await connect(dataSetService, 'bob').createDataSetVersion(
      facts({ dataSet, parents: parents.toReversed(), manifestJson }),
    );
    expect(again).toEqual({ version, created: false });
    const others: CreateDataSetVersionRequest[] = [
      ...[{ digest: digest('c') }, { rowCount: 0 }, { parents: [] }, { location: '' }, { format: '' }],
      ...[{ columns: facts().columns!.toReversed() }, { manifestJson: '' }, { run: (await start()).id }],
    ];
    for (const [index, other] of others.entries()) {
      const made = await add({ dataSet, parents, manifestJson, ...other });
      expect([made.created, made.version!.number]).toEqual([true, String(index + 2)]);
    }
    expect((await actions('data-set/same')).length).toBe(1 + others.length);
  });

  it('are made once by a request that is sent again, and never by one that says something else', async () => {
    const request = { dataSet: 'once', requestId: 'request-1' };
    const { version } = await add(request);
    expect(await add(request)).toEqual({ version, created: false });
    await refused(add({ ...request, rowCount: 1 }), 'already-exists', /^request_id: "request-1" already made once@1/);
    await refused(add({ ...request, dataSet: 'twice' }), 'already-exists', /once@1/);
    const bob = connect(dataSetService, 'bob').createDataSetVersion(facts(request));
    await refused(bob, 'already-exists', /another actor/);
  });

  it('get a number each when many are made at once', async () => {
    const made = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => add({ dataSet: 'many', digest: digest(`m${index}`) })),
    );
    const numbers = made.map(({ version }) => Number(version!.number)).sort((left, right) => left - right);
    expect(numbers).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
  });

  it.each<[CreateDataSetVersionRequest, string, RegExp]>([
    [{ dataSet: 'Digits' }, 'invalid-argument', /^data_set: "Digits" is not a name of a data set/],
    [{ digest: digest('a').toUpperCase() }, 'invalid-argument', /^digest: /],
    [{ columns: [{ name: 'a' }, { name: 'a' }] }, 'invalid-argument', /^columns\[1\]\.name: "a" is given twice/],
    [{ columns: [{ name: 'a', type: 'x'.repeat(65) }] }, 'invalid-argument', /^columns\[0\]\.type: /],
    [{ columns: Array.from({ length: 4097 }, () => ({})) }, 'invalid-argument', /^columns: 4097 given/],
    [{ location: 'train.csv' }, 'invalid-argument', /^location: "train.csv" given; expected a URI/],
    [{ location: 'https://ann:secret@host/x' }, 'invalid-argument', /^location: has a password/],
    [{ format: 'CSV' }, 'invalid-argument', /^format: /],
    [{ manifestJson: '[]' }, 'invalid-argument', /^manifest_json: expected a JSON object/],
    [{ manifestJson: `{"a":"${'x'.repeat(1_048_576)}"}` }, 'invalid-argument', /^manifest_json: 1048584 characters/],
    [{ requestId: 'x'.repeat(129) }, 'invalid-argument', /^request_id: 129 characters/],
    [{ rowCount: '9007199254740993' }, 'invalid-argument', /^row_count: /],
    [{ parents: [ref('digits/raw', 0)] }, 'invalid-argument', /^parents\[0\]\.version: /],
    [{ parents: [ref('digits/raw'), ref('digits/raw')] }, 'invalid-argument', /^parents\[1\]: digits\/raw@1 is given/],
    [{ parents: Array.from({ length: 257 }, (_, n) => ref('a', n + 1)) }, 'invalid-argument', /^parents: 257 given/],
    [{ parents: [ref('digits/raw'), ref('digits/raw', 9)] }, 'not-found', /^parents\[1\]: .* digits\/raw@9/],
    [{ run: 'train@9999' }, 'not-found', /^run: there is no run "train@9999"/],
  ])('are refused by the field that is wrong: %#', async (over, kind, message) => {
    await refused(add({ digest: digest('refused'), ...over }), kind, message);
  });

  it('that are not there are said to be so', async () => {
    await refused(
      dataSets.getDataSetVersion({ dataSet: 'none' }),
      'not-found',
      /^data_set: there is no data set "none"/,
    );
    const missing = dataSets.getDataSetVersion({ dataSet: 'digits/raw', version: 7 });
    await refused(missing, 'not-found', /^version: digits\/raw has no version 7/);
    await refused(dataSets.listDataSetVersions({ dataSet: 'none' }), 'not-found', /^data_set: /);
  });
});

describe('runs', () => {
  it('say what they read and made, from their start to their end', async () => {
    await add({ dataSet: 'in' });
    await add({ dataSet: 'in', digest: digest('in2') });
    const run = await start('train', [ref('in')]);
    expect(run).toMatchObject({
      ...{ id: `train@${run.revision}`, pipeline: 'train', state: 'RUN_STATE_RUNNING', startedBy: 'ann' },
      ...{ endedAt: null, inputs: [ref('in', '1')], outputs: [], versions: [] },
    });
    await add({ dataSet: 'out', run: run.id, parents: [ref('in')] });
    await add({ dataSet: 'unsaid', digest: digest('unsaid') });
    const { version } = await push(replica.as('ann'), 'made', await linearModel(), {
      run: run.id,
      dataSets: [ref('out')],
    });
    expect([version.run, version.dataSets]).toEqual([run.id, [ref('out', '1')]]);
    const { version: unsaid } = await push(replica.as('ann'), 'made', await linearModel());
    expect([unsaid.run, unsaid.dataSets]).toEqual(['', []]);
    const bob = connect(runService, 'bob');
    const request = {
      ...{ run: run.id, state: 'RUN_STATE_SUCCEEDED' as const, inputs: [ref('in', 2), ref('in')] },
      ...{ outputs: [ref('unsaid')], versions: [{ model: 'made', version: 2 }] },
    };
    const { run: ended } = await bob.endRun(request);
    expect(ended).toMatchObject({
      ...{ id: run.id, state: 'RUN_STATE_SUCCEEDED', error: '', endedBy: 'bob', endedAt: expect.anything() as unknown },
      inputs: [ref('in', '1'), ref('in', '2')],
      outputs: [ref('out', '1'), ref('unsaid', '1')],
      versions: ['1', '2'].map((number) => ({ model: 'made', version: number })),
    });
    expect((await runs.getRun({ run: run.id })).run).toEqual(ended);
    expect((await bob.endRun(request)).run).toEqual(ended);
    expect(await actions(`run/${run.id}`)).toEqual(['run.started', 'run.ended']);
    const { version: claimed } = await replica.as('ann').getVersion({ model: 'made', version: '2' });
    expect(claimed!.run).toBe(run.id);
    await refused(add({ dataSet: 'late', run: run.id }), 'failed-precondition', /^run: .* has ended \(succeeded\)/);
    const late = push(replica.as('ann'), 'made', await linearModel(), { run: run.id });
    await refused(late, 'failed-precondition', /^run: .* has ended/);
    await refused(end(run.id, { state: 'RUN_STATE_FAILED' }), 'failed-precondition', /ended as succeeded on /);
    await refused(end(run.id, { outputs: [ref('in')] }), 'failed-precondition', /an end is not changed/);
  });

  it('begin once per pipeline, time and attempt, whoever is first', async () => {
    const request = {
      pipeline: 'nightly',
      scheduledTime: { seconds: 1_790_000_000, nanos: 1_999_999 },
      requestId: 'go',
    };
    const { run } = await runs.startRun(request);
    expect(run!.attempt).toBe(1);
    expect((await runs.startRun(request)).run).toEqual(run);
    const { requestId, ...other } = request;
    expect(requestId).toBe('go');
    await refused(
      runs.startRun(other),
      'already-exists',
      /^attempt: nightly@\d+ is attempt 1 .*T14:13:20\.001Z \(running\)/,
    );
    await refused(
      runs.startRun({ ...request, attempt: 2 }),
      'already-exists',
      /^request_id: "go" already began nightly@/,
    );
    const five = Array.from({ length: 5 }, async () => runs.startRun({ ...other, attempt: 3 }));
    const outcomes = await Promise.allSettled(five);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('that failed say why, with what cannot be stored replaced and the rest cut', async () => {
    const { id } = await start();
    const error = `no\u0000 \uD800${'x'.repeat(3_000)}`;
    const ended = await end(id, { state: 'RUN_STATE_FAILED', error });
    expect([ended.state, ended.error.length, ended.error.slice(0, 4)]).toEqual([
      'RUN_STATE_FAILED',
      2_000,
      'no\uFFFD ',
    ]);
    expect(await end(id, { state: 'RUN_STATE_FAILED', error })).toEqual(ended);
  });

  it('are listed newest first, of a pipeline and of a state, in pages', async () => {
    const made = [];
    for (let index = 0; index < 3; index += 1) made.unshift((await start('listed')).id);
    await end(made[1]!);
    const list = async (over: object) => {
      const { runs: found, nextPageToken } = await runs.listRuns({ pipeline: 'listed', ...over });
      return { ids: found.map(({ id }) => id), nextPageToken };
    };
    const first = await list({ pageSize: 2 });
    expect(first.ids).toEqual(made.slice(0, 2));
    expect(await list({ pageToken: first.nextPageToken })).toEqual({ ids: made.slice(2), nextPageToken: '' });
    expect((await list({ state: 'RUN_STATE_SUCCEEDED' })).ids).toEqual([made[1]]);
    expect((await list({ pipeline: '' })).ids.slice(0, 3)).toEqual(made);
  });

  it('are refused what they cannot have read or made, by field', async () => {
    await add({ dataSet: 'old' });
    await push(replica.as('ann'), 'old', await linearModel());
    const other = await start();
    await add({ dataSet: 'others', run: other.id });
    const { id } = await start();
    // Approved now, and made before: its own revision is that of the approval.
    await replica.as('bob').approve({ model: 'old', version: 1 });
    await add({ dataSet: 'young' });
    const cases: [EndRunRequest, string, RegExp][] = [
      [{ outputs: [ref('old')] }, 'failed-precondition', /^outputs\[0\]: old@1 was made before train@/],
      [{ outputs: [ref('young'), ref('others')] }, 'failed-precondition', /^outputs\[1\]: others@1 was made by train@/],
      [{ inputs: [ref('young')] }, 'failed-precondition', /^inputs\[0\]: young@1 was made after train@/],
      [{ versions: [{ model: 'old', version: 1 }] }, 'failed-precondition', /^versions\[0\]: old:1 was made before/],
      [{ versions: [{ model: 'old', version: 9 }] }, 'not-found', /^versions\[0\]: there is no version old:9/],
      [{ inputs: [ref('none')] }, 'not-found', /^inputs\[0\]: there is no data set version none@1/],
      [{ outputs: [ref('none')] }, 'not-found', /^outputs\[0\]: /],
      [{ error: 'x' }, 'invalid-argument', /^error: given of a run that succeeded/],
      [{ state: 'RUN_STATE_RUNNING' }, 'invalid-argument', /^state: running; expected succeeded or failed/],
    ];
    for (const [request, kind, message] of cases) await refused(end(id, request), kind, message);
    expect((await end(id, { outputs: [ref('young')] })).outputs).toEqual([ref('young', '1')]);
    await refused(runs.startRun({ pipeline: 'p' }), 'invalid-argument', /^scheduled_time: missing/);
    await refused(runs.startRun({ pipeline: 'P', scheduledTime: at }), 'invalid-argument', /^pipeline: /);
    const lost = runs.startRun({ pipeline: 'p', scheduledTime: at, inputs: [ref('none')] });
    await refused(lost, 'not-found', /^inputs\[0\]: /);
    await refused(runs.getRun({ run: 'p@1' }), 'not-found', /^run: there is no run "p@1"/);
  });

  it('make at most 256 data sets', async () => {
    const { id } = await start();
    const owner = new pg.Client({ connectionString: site.ownerUrl });
    await owner.connect();
    // Without triggers and keys: what the rows point to is not looked at here.
    await owner.query('set session_replication_role = replica');
    await owner.query(`insert into registry.run_output select $1, 'full', n from generate_series(1, 255) n`, [id]);
    await owner.end();
    await add({ dataSet: 'last', run: id });
    const more = add({ dataSet: 'last', run: id, digest: digest('more') });
    await refused(more, 'resource-exhausted', /^outputs: a run has at most 256/);
    await refused(end(id, { outputs: [ref('in')] }), 'resource-exhausted', /^outputs: /);
  });
});

describe('versions of models', () => {
  it('name what they come from, which must be there, and the same request must name the same', async () => {
    await add({ dataSet: 'origin' });
    const run = (await start()).id;
    const ann = replica.as('ann');
    const files = await linearModel();
    const options = { requestId: 'origin-1', run, dataSets: [ref('origin')] };
    const { version } = await push(ann, 'origin', files, options);
    expect((await push(ann, 'origin', files, options)).version.number).toBe(version.number);
    for (const other of [{ run: '' }, { dataSets: [] }, { dataSets: [ref('in')] }])
      await refused(
        push(ann, 'origin', files, { ...options, ...other }),
        'already-exists',
        /other data sets or another run/,
      );
    for (const [other, kind, message] of [
      [{ run: 'none@1' }, 'not-found', /^run: there is no run "none@1"/],
      [{ dataSets: [ref('origin'), ref('origin', 2)] }, 'not-found', /^data_sets\[1\]: .*origin@2/],
      [{ dataSets: [ref('origin'), ref('origin')] }, 'invalid-argument', /^data_sets\[1\]: origin@1 is given twice/],
    ] as const)
      await refused(push(ann, 'none', await linearModel(), other), kind, message);
    await refused(ann.getModel({ name: 'none' }), 'not-found', /^model: /);
  });

  it('and all else that was said cannot be changed by a service', async () => {
    const service = new pg.Client({ connectionString: site.serviceUrl });
    await service.connect();
    for (const table of [
      'data_set_version',
      'data_set_parent',
      'run_input',
      'run_output',
      'run_version',
      'version_data_set',
    ])
      for (const sql of [`delete from registry.${table}`, `truncate registry.${table}`])
        await expect(service.query(sql), sql).rejects.toThrow(/permission denied/);
    for (const sql of [
      'run set pipeline',
      'data_set_version set digest',
      'run_version set model',
      'version_data_set set model',
    ])
      await expect(service.query(`update registry.${sql} = 'x'`), sql).rejects.toThrow(/permission denied/);
    const silent = service.query(`insert into registry.data_set values ('silent', 0, now(), 'x')`);
    await expect(silent).rejects.toThrow(/needs an audit entry/);
    await service.end();
  });
});

describeLineage(() => replica);
