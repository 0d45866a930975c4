import { describe, expect, it } from 'vitest';
import type { PayloadAccess } from '../audit/payload-audit.ts';
import type { Answer, RegistryModel, RegistryVersion } from '../versions/registry-version.ts';
import type { ExportRequest } from './check-export.ts';
import type { ExportPlace, ExportQuery, VersionCount } from './export.ts';
import type { PlanPorts } from './plan-export.ts';
import { planExport } from './plan-export.ts';

const query: ExportQuery = {
  ...{ model: 'm', versions: [], arm: undefined, role: undefined, status: 'any', label: 'any' },
  ...{ range: { fromMs: 0, toMs: 1 }, horizon: { history: 'h', xid: '5' } },
};
const request = {
  ...{ format: 'csv', withPayload: true, labelPolicy: undefined, dataSet: '', actor: 'ann' },
} as unknown as ExportRequest;
const trusted = { resolution: 'trusted-first', trustedSources: ['expert'] } as const;
const away = { state: 'away', error: new Error('away') } as const;
const place: ExportPlace = {
  ...{ retentionClass: 'short', predictionId: 'p', arm: '', attempt: 1, skewed: false },
};

const version = (number: number, feature = 'age'): RegistryVersion => ({
  ...{ model: 'm', number, digest: '', task: { kind: 'none' }, revision: 0 },
  signature: {
    inputs: [
      { name: 'x', datatype: 'FP32', shape: [-1, 1], dimNames: [], features: [{ name: feature, nullable: false }] },
    ],
    ...{ outputs: [], batched: true },
  },
});

interface World {
  /** Of each page. */
  readonly pages: readonly (readonly VersionCount[])[];
  readonly version?: (number: number) => Answer<RegistryVersion>;
  readonly model?: Answer<RegistryModel>;
  readonly audit?: (access: PayloadAccess) => Promise<void>;
}

function ports({ pages, version: find, model, audit }: World): PlanPorts {
  let page = 0;
  return {
    reader: {
      count: async () => ({ versions: pages[page++]!, next: page < pages.length ? place : undefined }),
    },
    facts: {
      version: async (name) => find?.(name.version) ?? { state: 'known', value: version(name.version) },
      model: async () => model ?? { state: 'known', value: { name: 'm', labels: trusted, captureRate: 1 } },
    },
    audit: { record: audit ?? (async () => undefined) },
  };
}

const count = (number: number, rows = 1, payloads = 2): VersionCount => ({
  ...{ version: number, versionDigest: 'd', rows, payloads },
});
const planned = (world: World, over: Partial<ExportRequest> = {}) =>
  planExport(ports(world), { ...request, ...over }, query, new AbortController().signal);

describe('the plan of an export', () => {
  it('sums what pages have, resolves labels as the model says, and is in the audit log with these sums', async () => {
    const said: PayloadAccess[] = [];
    const audit = async (access: PayloadAccess) => void said.push(access);
    const plan = await planned({ pages: [[count(2, 3, 4)], [], [count(1), count(2, 10, 1)]], audit });
    expect(plan).toMatchObject({ rowsExpected: 14, policy: trusted });
    expect([...plan.layouts.keys()]).toEqual(['1 d', '2 d']);
    expect(said).toMatchObject([
      {
        ...{ actor: 'ann', action: 'ReadPayloads', object: 'model/m' },
        details: { call: 'Export', count: 7, rows: 14, horizon: 'h:5' },
      },
    ]);
    const own = { resolution: 'latest', trustedSources: [] } as const;
    expect((await planned({ pages: [[]] }, { labelPolicy: own })).policy).toEqual(own);
  });

  it('is refused where the audit log cannot be told, or the registry cannot be asked what matters', async () => {
    const pages = [[count(1)]];
    await expect(planned({ pages, audit: () => Promise.reject(new Error('no outbox')) })).rejects.toThrow('no outbox');
    await expect(planned({ pages, version: () => away })).rejects.toThrow(/cannot be asked what m version 1 takes/);
    await expect(planned({ pages, model: away })).rejects.toThrow(/give a label policy, or ask again/);
    const plain = { withPayload: false, labelPolicy: trusted };
    expect(await planned({ pages, version: () => away, model: away }, plain)).toMatchObject({ rowsExpected: 1 });
  });

  it('is refused where it would be too much, or no data set would take its columns', async () => {
    await expect(planned({ pages: [[count(1, 60_000_000)], [count(2, 60_000_000)]] })).rejects.toThrow(
      /120000000 rows fit, and a file has at most 100000000/,
    );
    const many = Array.from({ length: 101 }, (_, index) => count(index));
    await expect(planned({ pages: [many] })).rejects.toThrow(/more than 100 versions fit/);
    const spaced = (number: number) => ({ state: 'known', value: version(number, 'my\nage') }) as const;
    await expect(planned({ pages: [[count(1)]], version: spaced }, { dataSet: 'a' })).rejects.toThrow(
      /data_set: the column "input.my/,
    );
    expect((await planned({ pages: [[count(1)]], version: spaced })).columns.at(-1)!.name).toBe('input.my\nage');
  });

  it('ends with its caller', async () => {
    const leave = new AbortController();
    leave.abort();
    await expect(planExport(ports({ pages: [[]] }), request, query, leave.signal)).rejects.toThrow(/aborted/);
  });
});
