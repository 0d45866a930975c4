import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../src/manifest/parse-manifest.ts';
import { allKeys } from '../src/manifest/schema-walk.ts';
import { manifestSchema } from '../src/manifest/schema.ts';

const page = await readFile(join(import.meta.dirname, '../../../docs/sluice-yaml.md'), 'utf8');

describe('docs/sluice-yaml.md', () => {
  const documented = [...page.matchAll(/^\| `([^`]+)` +\|/gm)].map((match) => match[1]!);

  it('has a line for every key of the schema, and for no other', () => {
    expect(documented.toSorted()).toEqual([...new Set(allKeys(manifestSchema))].toSorted());
    expect(new Set(documented).size).toBe(documented.length);
  });

  it('shows examples that are right', () => {
    const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) =>
      parseManifest(Buffer.from(match[1]!)),
    );
    expect(examples[0]!.manifest.task).toMatchObject({ kind: 'classification' });
    expect(examples[1]!.manifest.warmUp.requests).toHaveLength(2);
  });
});
