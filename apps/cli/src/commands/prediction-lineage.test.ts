import { SluiceError } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import type { CliContext } from '../context.ts';
import { type LineageFlags, showLineage } from './lineage.ts';

const at = { seconds: '1790000000', nanos: 0 };
const when = '2026-09-21 14:13:20Z';
const digest = (letter: string): string => letter.repeat(64);

/** Of model `m`; `version` has the digest of its own number. */
const attempt = (version: string, own: Record<string, unknown>) => ({
  ...{ model: 'm', version, versionDigest: digest(version), arm: 'primary', role: 'primary', attempt: 1 },
  ...{
    answered: false,
    reason: 'weight',
    releaseId: 'm@17',
    statusName: 'OK',
    receivedAt: at,
    subject: 'whom',
    ...own,
  },
});

const lineages: Readonly<Record<string, unknown>> = {
  '1': {
    nodes: [
      { depth: 0, what: 'version', version: node('1', digest('1')) },
      { depth: 1, what: 'run', run: run('train@9') },
    ],
    edges: [{ child: 0, parent: 1, relation: 'LINEAGE_RELATION_MADE_BY' }],
    more: false,
  },
  '2': { nodes: [{ depth: 0, what: 'version', version: node('2', digest('f')) }], edges: [], more: false },
  '4': { nodes: [{ depth: 0, what: 'version', version: node('4', digest('4')) }], edges: [], more: true },
};

function node(version: string, found: string) {
  return { model: 'm', version, digest: found, state: 'VERSION_STATE_READY', createdAt: at };
}
function run(id: string) {
  return { id, pipeline: 'train', scheduledTime: at, attempt: 1, state: 'RUN_STATE_SUCCEEDED' };
}

/** Feedback and a registry that keep what they are asked. */
function setUp(attempts: readonly unknown[], { json = false, cut = false, auditLinks = [] as unknown[] } = {}) {
  const asked: Record<string, unknown>[] = [];
  const out: string[] = [];
  const predictions = {
    getPrediction: async (request: Record<string, unknown>) => {
      asked.push(request);
      return { prediction: { predictionId: 'id-1', attempts, auditLinks, cut } };
    },
  };
  const lineage = {
    getLineage: async (request: { version: { version: string } }) => {
      asked.push(request);
      const found = lineages[request.version.version];
      if (request.version.version === '6') throw new SluiceError('unavailable', 'nobody answers');
      if (found === undefined) throw new SluiceError('not-found', 'version: there is none');
      return found;
    },
  };
  const context = {
    ...{ json, signal: new AbortController().signal, services: { predictions, lineage } },
    terminal: { out: (text: string) => out.push(text) },
  } as unknown as CliContext;
  return { context, asked, out };
}

const flags: LineageFlags = { prediction: 'id-1', up: false, down: false, depth: 3, nodes: 7 };

describe('lineage of a prediction', () => {
  it('has every version that took part, how, and what each came from', async () => {
    const attempts = [
      attempt('1', { answered: true, attempt: 2 }),
      attempt('4', { arm: 'next', role: 'candidate', releaseId: '', statusName: 'UNAVAILABLE' }),
      attempt('4', { arm: 'next', role: 'candidate', releaseId: '', attempt: 2 }),
      attempt('2', { arm: 'mirror', role: 'shadow' }),
      attempt('3', { arm: 'mirror', role: 'shadow' }),
    ];
    const links = [{ kind: 'release', object: 'model/m/release', leafIndex: '17' }];
    const { context, asked, out } = setUp(attempts, { auditLinks: links });
    await showLineage(context, undefined, flags);
    expect(out.join('').split('\n')).toEqual([
      `prediction id-1  ${when}`,
      `├─ answered by m:1  ready, ${when}  [primary #2, release m@17]`,
      `│  └─ made by run train@9  succeeded, for ${when}, attempt 1`,
      `├─ tried m:4  ready, ${when}  [next (candidate), no release; next (candidate) #2, no release]`,
      `├─ shadowed by m:2  the registry has another version of this number, with the digest ${digest('f')}  [mirror (shadow), release m@17]`,
      `└─ shadowed by m:3  the registry does not have it  [mirror (shadow), release m@17]`,
      '… there is more: --depth and --nodes show more of a version, `sluice prediction show` more of attempts',
      '',
      'AUDIT ENTRY  OF',
      '17           model/m/release',
    ]);
    expect(asked[0]).toEqual({ predictionId: 'id-1', withAliases: true });
    expect(asked.slice(1).map(({ version }) => version)).toEqual(
      ['1', '4', '2', '3'].map((version) => ({ model: 'm', version })),
    );
    expect(asked[1]).toMatchObject({ direction: 'LINEAGE_DIRECTION_UP', depth: 3, maxNodes: 7 });
  });

  it('is a document too, without what else is known of the attempts', async () => {
    const { context, out } = setUp([attempt('1', { answered: true }), attempt('9', { role: 'shadow' })], {
      json: true,
    });
    await showLineage(context, undefined, { ...flags, up: true });
    const document = JSON.parse(out.join('')) as { versions: Record<string, unknown>[] };
    expect(document).toMatchObject({ predictionId: 'id-1', more: false, auditLinks: [] });
    expect(document.versions).toMatchObject([
      { model: 'm', version: '1', digest: digest('1'), problem: '', up: { more: false } },
      { version: '9', problem: 'the registry does not have it', up: null },
    ]);
    expect(document.versions[0]!['attempts']).toEqual([
      {
        ...{ arm: 'primary', role: 'primary', attempt: 1, answered: true, reason: 'weight' },
        ...{ releaseId: 'm@17', statusName: 'OK' },
      },
    ]);
  });

  it('asks for a bounded number of versions, and says that there are more', async () => {
    const many = Array.from({ length: 40 }, (_, index) => attempt(String(100 + index), { role: 'shadow' }));
    const { context, asked, out } = setUp(many);
    await showLineage(context, undefined, flags);
    expect([asked.length, out.join('').match(/does not have it/g)?.length]).toEqual([33, 32]);
    expect(out.join('')).toContain('… there is more');
    const cut = setUp([attempt('1', { answered: true })], { cut: true });
    await showLineage(cut.context, undefined, flags);
    expect(cut.out.join('')).toContain('… there is more');
  });

  it('does not hide that the registry is away, and has nothing downwards', async () => {
    const { context } = setUp([attempt('1', {}), attempt('6', {})]);
    await expect(showLineage(context, undefined, flags)).rejects.toThrow('nobody answers');
    await expect(showLineage(context, undefined, { ...flags, down: true })).rejects.toThrow(/nothing is made from/);
    await expect(showLineage(context, 'm', flags)).rejects.toThrow('name one thing');
    await expect(showLineage(context, undefined, { ...flags, run: 'r@1' })).rejects.toThrow('name one thing');
  });
});
