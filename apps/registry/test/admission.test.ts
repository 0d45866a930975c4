import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import type { RegistryClient, Replica } from './harness.ts';
import { exampleFiles, linearModel, push, Site } from './harness.ts';

let site: Site;
let replica: Replica;
let ann: RegistryClient;

beforeAll(async () => {
  site = await Site.open();
  replica = await site.start();
  ann = replica.as('ann');
});
afterAll(async () => {
  await site.close();
});

/** As the database is after the registry that ran the admission of a version was killed. */
async function abandonAdmission(model: string, number: string, attempts: number): Promise<void> {
  const client = new pg.Client({ connectionString: site.ownerUrl });
  await client.connect();
  try {
    // A superuser's way around the trigger that wants an audit entry: nobody made this change.
    await client.query(`set session_replication_role = replica`);
    await client.query(`update registry.version set state = 'admitting' where model = $1 and number = $2`, [
      model,
      number,
    ]);
    await client.query(
      `insert into registry.admission_run (model, number, holder, attempts, renewed_at)
       values ($1, $2, 'killed', $3, clock_timestamp() - interval '1 minute')`,
      [model, number, attempts],
    );
  } finally {
    await client.end();
  }
}

describe('admission', () => {
  it('keeps a version that it rejects, with its reason, and nothing can point to it', async () => {
    const files = await linearModel();
    files.set(
      'sluice.yaml',
      Buffer.from(
        [
          'golden:',
          '  - name: impossible',
          '    inputs:',
          `      ${await inputName()}: [[${Array.from({ length: 64 }, () => 0).join(', ')}]]`,
          '    outputs:',
          `      ${await outputName()}: [[${Array.from({ length: 10 }, () => 1e9).join(', ')}]]`,
          '',
        ].join('\n'),
      ),
    );
    const { version } = await push(ann, 'rejected', files);
    expect(version.state).toBe('VERSION_STATE_REJECTED');
    expect(version.rejection).toMatch(/^golden/);
    expect(version.admission?.passed).toBe(false);
    for (const change of [
      () => ann.moveAlias({ model: 'rejected', alias: 'best', version: 1 }),
      () => ann.pinVersion({ model: 'rejected', version: 1 }),
      () => ann.approve({ model: 'rejected', version: 1 }),
    ]) {
      await expect(change()).rejects.toThrow(/admission rejected rejected version 1/);
    }
    const stored = await ann.getVersion({ model: 'rejected', version: '1' });
    expect(stored.version?.rejection).toBe(version.rejection);
    await ann.deleteVersion({ model: 'rejected', version: 1 });
  });

  it('makes no version of files that cannot be read', async () => {
    const broken = new Map([['broken.onnx', Buffer.from('this is not a graph')]]);
    await expect(push(ann, 'broken', broken)).rejects.toMatchObject({ kind: 'invalid-argument' });
    await expect(ann.getModel({ name: 'broken' })).rejects.toMatchObject({ kind: 'not-found' });
    const files = await linearModel();
    files.set('sluice.yaml', Buffer.from('task: juggling\n'));
    await expect(push(ann, 'broken', files)).rejects.toThrow(/sluice.yaml/);
  });

  it('that a killed registry left behind is run again', async () => {
    const { version } = await push(ann, 'left', await exampleFiles('digits/linear'));
    await abandonAdmission('left', version.number, 1);
    expect((await ann.getVersion({ model: 'left', version: '1' })).version?.state).toBe('VERSION_STATE_ADMITTING');
    await eventually(async () => {
      const again = await ann.getVersion({ model: 'left', version: '1' });
      expect(again.version?.state).toBe('VERSION_STATE_READY');
      expect(Number(again.version?.revision)).toBeGreaterThan(Number(version.revision));
    }, 60_000);
  });

  it('that never ends is given up, with the reason', async () => {
    const { version } = await push(ann, 'never', await linearModel());
    await abandonAdmission('never', version.number, 3);
    await eventually(async () => {
      const again = await ann.getVersion({ model: 'never', version: '1' });
      expect(again.version).toMatchObject({
        state: 'VERSION_STATE_REJECTED',
        rejection: 'admission did not end in 3 attempts: the registry stopped while it ran',
      });
    }, 60_000);
  });
});

async function inputName(): Promise<string> {
  return (await signatureOf()).inputs[0]!.name;
}

async function outputName(): Promise<string> {
  const { outputs } = await signatureOf();
  return outputs.find((output) => output.datatype === 'FP32')!.name;
}

async function signatureOf() {
  const { version } = await push(ann, 'names', await linearModel('names'), { requestId: 'names' });
  return version.signature!;
}
