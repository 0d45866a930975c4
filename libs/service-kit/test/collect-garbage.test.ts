import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';

const collectModule = path.resolve(import.meta.dirname, '..', 'src', 'collect-garbage.ts');

/** Runs a program to its end, in which `feedback()` is what V8 has seen at the object literal of Node's nextTick. */
function run(program: string): unknown {
  const feedback = `const feedback = () => %GetFeedback(process.nextTick)
    .filter(([kind]) => kind.startsWith('DefineKeyedOwn')).map(([, state]) => String(state).split('\\n')[0]);`;
  const ticks =
    'const ticks = async () => { for (let i = 0; i < 1000; i++) await new Promise((r) => process.nextTick(r)); };';
  const flags = ['--conditions=@sluice/source', '--allow-natives-syntax', '-e'];
  const text = execFileSync(process.execPath, [...flags, `${feedback} ${ticks} ${program}`], { encoding: 'utf8' });
  return JSON.parse(text);
}

it('collects down to empty, and nextTick stays as fast as it was, whatever V8 collects later', () => {
  const [before, after, later, freed] = run(`(async () => {
    const { collectGarbage } = await import(${JSON.stringify(collectModule)});
    await ticks();
    const before = feedback();
    let garbage = Array.from({ length: 1e5 }, (_, index) => ({ index, text: String(index) }));
    const full = process.memoryUsage().heapUsed;
    garbage = undefined;
    // As a service does: in a timer, when no tick is on its way.
    await new Promise((resolve) => setTimeout(() => resolve(collectGarbage()), 20));
    const freed = full - process.memoryUsage().heapUsed;
    await ticks();
    const after = feedback();
    require('node:v8').setFlagsFromString('--expose-gc');
    const collect = require('node:vm').runInNewContext('gc');
    await new Promise((resolve) => setTimeout(() => resolve(collect({ type: 'major', flavor: 'last-resort' })), 20));
    await ticks();
    console.log(JSON.stringify([before, after, feedback(), freed]));
  })()`) as [string[], string[], string[], number];
  expect(before).toEqual(before.map(() => 'MONOMORPHIC'));
  expect(before.length).toBeGreaterThan(0);
  expect([after, later]).toEqual([before, before]);
  expect(freed).toBeGreaterThan(4e6);
});
