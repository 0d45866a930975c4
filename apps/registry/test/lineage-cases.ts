import type { GetLineageRequest } from '@sluice/contracts/gen/sluice/registry/v1/GetLineageRequest';
import type { GetLineageResponse__Output } from '@sluice/contracts/gen/sluice/registry/v1/GetLineageResponse';
import type { LineageNode__Output } from '@sluice/contracts/gen/sluice/registry/v1/LineageNode';
import type {
  DataSetServiceMethods,
  LineageServiceMethods,
  RunServiceMethods,
  Service,
} from '@sluice/contracts/services';
import { dataSetService, lineageService, runService } from '@sluice/contracts/services';
import { createRpcClient, type RpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearModel, push, sha256, type RegistryClient, type Replica } from './harness.ts';

const ref = (dataSet: string, version: number | string = 1) => ({ dataSet, version });
type Ref = ReturnType<typeof ref>;

/** `digits:1`, `raw@2`, `train@17`, `release digits@20`. */
function nameOf({ what, version, dataSet, run, release }: LineageNode__Output): string {
  if (what === 'version') return `${version!.model}:${version!.version}`;
  if (what === 'dataSet') return `${dataSet!.dataSet}@${dataSet!.version}`;
  return what === 'run' ? run!.id : `release ${release!.id}`;
}

/** `digits:1 TRAINED_ON raw@2`, sorted. */
const edgesOf = ({ nodes, edges }: GetLineageResponse__Output): readonly string[] =>
  edges
    .map(({ child, parent, relation }) =>
      [nameOf(nodes[child]!), relation.replace('LINEAGE_RELATION_', ''), nameOf(nodes[parent]!)].join(' '),
    )
    .sort();

/** Lineage up and down, on a registry that runs. */
export function describeLineage(replica: () => Replica): void {
  let dataSets: RpcClient<DataSetServiceMethods>;
  let runs: RpcClient<RunServiceMethods>;
  let lineage: RpcClient<LineageServiceMethods>;
  let ann: RegistryClient;
  const closers: (() => void)[] = [];
  const connect = <Methods>(service: Service<Methods>): RpcClient<Methods> => {
    const client = createRpcClient(service, replica().address, { clock: systemClock, actor: 'ann' });
    closers.push(() => client.close());
    return client;
  };
  beforeAll(() => {
    [dataSets, runs, lineage, ann] = [
      connect(dataSetService),
      connect(runService),
      connect(lineageService),
      replica().as('ann'),
    ];
  });
  afterAll(() => {
    for (const close of closers) close();
  });

  const add = async (dataSet: string, parents: readonly Ref[] = [], run = ''): Promise<Ref> => {
    const digest = sha256(Buffer.from(`${dataSet} ${Math.random()}`));
    const { version } = await dataSets.createDataSetVersion({ dataSet, digest, parents: [...parents], run });
    return ref(dataSet, version!.number);
  };
  const start = async (pipeline: string, inputs: readonly Ref[]): Promise<string> =>
    (await runs.startRun({ pipeline, scheduledTime: { seconds: 1, nanos: 0 }, inputs: [...inputs] })).run!.id;
  const up = async (from: GetLineageRequest) => lineage.getLineage({ direction: 'LINEAGE_DIRECTION_UP', ...from });
  const down = async (from: GetLineageRequest) => lineage.getLineage({ direction: 'LINEAGE_DIRECTION_DOWN', ...from });

  describe('lineage', () => {
    let made: { clean: string; train: string; releases: readonly string[] };

    beforeAll(async () => {
      const raw = await add('l/raw');
      const clean = await start('l/clean', [raw]);
      const table = await add('l/table', [raw], clean);
      const train = await start('l/train', [table]);
      await ann.createModel({ name: 'l/model', settings: { approvalsRequired: 0 } });
      for (const options of [{ run: train, dataSets: [table] }, { dataSets: [raw] }, {}])
        await push(ann, 'l/model', await linearModel(), options);
      const releases: string[] = [];
      for (const version of [1, 2]) {
        const arms = [{ name: 'primary', version, role: 'ARM_ROLE_PRIMARY' as const, weight: 1 }];
        const { release } = await ann.putRelease({ model: 'l/model', mode: 'RELEASE_MODE_FIXED', arms });
        releases.push(release!.id);
      }
      await ann.endRelease({ model: 'l/model' });
      made = { clean, train, releases };
    });

    it('goes from a version to its run, its data sets and what these come from', async () => {
      const found = await up({ version: { model: 'l/model', version: 1 } });
      const { clean, train } = made;
      expect(edgesOf(found)).toEqual(
        [
          `l/model:1 MADE_BY ${train}`,
          'l/model:1 TRAINED_ON l/table@1',
          `${train} READ l/table@1`,
          `l/table@1 MADE_BY ${clean}`,
          'l/table@1 DERIVED_FROM l/raw@1',
          `${clean} READ l/raw@1`,
        ].sort(),
      );
      const depths = found.nodes.map((node) => [nameOf(node), node.depth]);
      expect(depths[0]).toEqual(['l/model:1', 0]);
      expect(Object.fromEntries(depths)).toEqual({
        ...{ 'l/model:1': 0, [train]: 1, 'l/table@1': 1, [clean]: 2, 'l/raw@1': 2 },
      });
      expect(found.more).toBe(false);
      expect(found.nodes[0]!.version).toMatchObject({
        state: 'VERSION_STATE_READY',
        createdAt: expect.anything() as unknown,
      });
      const run = found.nodes.find(({ what }) => what === 'run')!.run;
      expect(run).toMatchObject({ pipeline: 'l/train', attempt: 1, state: 'RUN_STATE_RUNNING' });
      const bare = await up({ version: { model: 'l/model', version: 3 } });
      expect([bare.nodes.length, bare.edges, bare.more]).toEqual([1, [], false]);
    });

    it('goes from a data set to the versions, past releases too, and derived data sets that it reached', async () => {
      const found = await down({ dataSet: ref('l/raw') });
      const { clean, train, releases } = made;
      expect(edgesOf(found)).toEqual(
        [
          'l/table@1 DERIVED_FROM l/raw@1',
          `${clean} READ l/raw@1`,
          'l/model:2 TRAINED_ON l/raw@1',
          `l/table@1 MADE_BY ${clean}`,
          `${train} READ l/table@1`,
          'l/model:1 TRAINED_ON l/table@1',
          `l/model:1 MADE_BY ${train}`,
          `release ${releases[0]} SERVED l/model:1`,
          `release ${releases[1]} SERVED l/model:2`,
        ].sort(),
      );
      const first = found.nodes.find((node) => nameOf(node) === `release ${releases[0]}`)!.release!;
      expect(first).toMatchObject({ model: 'l/model', mode: 'RELEASE_MODE_FIXED', implicit: false });
      expect([first.from, first.to]).toEqual([expect.anything(), expect.anything()]);
      expect(edgesOf(await down({ run: train }))).toEqual(
        [`l/model:1 MADE_BY ${train}`, `release ${releases[0]} SERVED l/model:1`].sort(),
      );
    });

    it('of a version stays when it is deleted', async () => {
      const from = { version: { model: 'l/model', version: 2 } };
      const before = await up(from);
      await ann.deleteVersion({ model: 'l/model', version: 2 });
      const after = await up(from);
      expect(edgesOf(after)).toEqual(edgesOf(before));
      expect(after.nodes[0]!.version!.state).toBe('VERSION_STATE_DELETED');
      expect(edgesOf(await down({ dataSet: ref('l/raw') }))).toContain('l/model:2 TRAINED_ON l/raw@1');
      const { version } = await ann.getVersion({ model: 'l/model', version: '2' });
      expect(version!.dataSets).toEqual([ref('l/raw', '1')]);
    });

    it('is cut at the bounds, and says that there is more', async () => {
      const from = { dataSet: ref('l/raw') };
      const whole = await down({ ...from, depth: 4 });
      expect([whole.more, whole.nodes.at(-1)!.depth]).toEqual([false, 3]);
      const near = await down({ ...from, depth: 1 });
      expect(near.more).toBe(true);
      expect(near.nodes.map(nameOf).sort()).toEqual(['l/raw@1', 'l/table@1', made.clean, 'l/model:2'].sort());
      // The relation between two that are within the bounds is there.
      expect(edgesOf(near)).toContain(`l/table@1 MADE_BY ${made.clean}`);
      const few = await down({ ...from, maxNodes: 2 });
      expect([few.nodes.length, few.more]).toEqual([2, true]);
      const exact = await down({ ...from, maxNodes: whole.nodes.length });
      expect([exact.nodes.length, exact.more]).toEqual([whole.nodes.length, false]);
    });

    it.each<[GetLineageRequest, string, RegExp]>([
      [{ dataSet: ref('l/raw'), depth: 33 }, 'invalid-argument', /^depth: 33 given/],
      [{ dataSet: ref('l/raw'), maxNodes: 1001 }, 'invalid-argument', /^max_nodes: 1001 given/],
      [{ dataSet: ref('l/raw'), direction: 'LINEAGE_DIRECTION_UNSPECIFIED' }, 'invalid-argument', /^direction: /],
      [{}, 'invalid-argument', /^from: missing/],
      [{ dataSet: ref('l/raw', 0) }, 'invalid-argument', /^data_set\.version: /],
      [{ dataSet: ref('l/raw', 9) }, 'not-found', /^data_set: there is no data set version l\/raw@9/],
      [{ version: { model: 'l/model', version: 9 } }, 'not-found', /^version: l\/model has no version 9/],
      [{ run: 'l/train@1' }, 'not-found', /^run: there is no run/],
    ])('is refused by the field that is wrong: %#', async (request, kind, message) => {
      await expect(up(request)).rejects.toMatchObject({ kind, message: expect.stringMatching(message) as string });
    });

    it('is what a walk over the facts finds, in any graph, and never comes back to where it began', async () => {
      let state = 20_261_129;
      const draw = (below: number): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      };
      const parentsOf = new Map<string, ReadonlySet<string>>();
      const refs: Ref[] = [];
      for (let index = 0; index < 24; index += 1) {
        const parents = [...new Set(Array.from({ length: draw(4) }, () => refs[draw(refs.length)]))];
        const made = await add(
          `g/${index % 5}`,
          parents.filter((parent) => parent !== undefined),
        );
        refs.push(made);
        const names = parents.flatMap((parent) => (parent ? [`${parent.dataSet}@${parent.version}`] : []));
        parentsOf.set(`${made.dataSet}@${made.version}`, new Set(names));
      }
      const ancestors = (name: string): ReadonlySet<string> =>
        new Set([...parentsOf.get(name)!].flatMap((parent) => [parent, ...ancestors(parent)]));
      for (const from of refs) {
        const name = `${from.dataSet}@${from.version}`;
        const above = (await up({ dataSet: from, depth: 32 })).nodes.map(nameOf);
        expect([above[0], new Set(above.slice(1))]).toEqual([name, ancestors(name)]);
        const below = (await down({ dataSet: from, depth: 32 })).nodes.map(nameOf);
        const reached = [...parentsOf.keys()].filter((other) => ancestors(other).has(name));
        expect([below[0], new Set(below.slice(1))]).toEqual([name, new Set(reached)]);
        expect(above.slice(1)).not.toContain(name);
      }
    });
  });
}
