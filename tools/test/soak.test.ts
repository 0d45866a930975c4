import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { root } from '../pinned-node.mjs';

/** Fails in the first round, and notes each. */
const suite = `import { appendFileSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
it('is fine from the second round on', () => {
  appendFileSync('rounds', '.');
  expect(readFileSync('rounds', 'utf8').length).toBeGreaterThan(1);
});
`;

it('npm run soak runs all rounds of a suite, also after a failure, and says how many ran', async () => {
  const clone = await mkdtemp(path.join(tmpdir(), 'sluice-soak-test-'));
  onTestFinished(() => rm(clone, { recursive: true, force: true }));
  for (const name of ['', '.integration', '.soak'])
    await cp(path.join(root, `vitest${name}.config.ts`), path.join(clone, `vitest${name}.config.ts`));
  for (const file of ['soak.mjs', 'soak-report.mjs', 'test-reports.mjs', 'pinned-node.mjs'])
    await cp(path.join(root, 'tools', file), path.join(clone, 'tools', file));
  await symlink(path.join(root, 'node_modules'), path.join(clone, 'node_modules'));
  const folder = path.join(clone, 'apps', 'platform');
  await mkdir(path.join(folder, 'test'), { recursive: true });
  await writeFile(path.join(folder, 'test', 'survival.test.ts'), suite);

  const page = path.join(clone, 'docs', 'soak-report.md');
  await mkdir(path.dirname(page));
  const other = (name: string) => `| ${name} | of before | 1 x 1 | 7 | 1 | 0.1 | then | c0 | 9 | m |`;
  await writeFile(page, `${other('router')}\n${other('platform')}\n\n- router: was odd\n- platform: was odd\n`);

  const { status, stdout } = spawnSync(process.execPath, [path.join(clone, 'tools', 'soak.mjs'), 'platform']);
  const report = stdout.toString();
  expect(await readFile(path.join(folder, 'rounds'), 'utf8')).toBe('.....');
  const lines = (await readFile(page, 'utf8')).split('\n').map((line) => line.replace(/ +/g, ' '));
  // Of the other suites the page keeps what it says.
  expect(lines).toContain(other('router'));
  expect(lines.filter((line) => line.startsWith('| platform'))).toEqual([
    expect.stringMatching(/^\| platform \| [^|]+ \| 1 x 5 \| 4 \| 1 \| [\d.]+ \| [-\d: ]{16} \| /),
  ]);
  expect(lines.filter((line) => line.startsWith('- '))).toEqual([
    '- router: was odd',
    '- platform: is fine from the second round on',
  ]);
  expect(report).toMatch(/^\| platform \| [^|]+ \| 1 x 5 \| 4 \| 1 \| /m);
  expect(report).toMatch(/\n4 passed, 1 failed\n$/);
  expect(status).toBe(1);
});
