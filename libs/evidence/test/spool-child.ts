// A process with a spool, for tests that kill it: `spool-child.ts FOLDER FROM`. It appends durable blocks, numbered from FROM on, and
// tells its parent the number and position of each as soon as it is said to be on disk; and best-effort blocks between them.
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { nodeFiles } from '../src/spool/node-files.ts';
import { openSpool } from '../src/spool/spool.ts';
import { machineClock, numberedBlock, realOptions } from './real-spool.ts';

const [folder, from] = process.argv.slice(2);
const spool = await openSpool(realOptions(folder!), {
  ...{ files: nodeFiles, clock: machineClock, randomBytes },
  onEvent: (event) => process.send!({ event }),
});
process.send!({ spoolId: spool.spoolId });
let number = Number(from);

function appendOne(): void {
  const block = numberedBlock(number++);
  const position = spool.reserve(block.length)?.append(block, 1);
  spool.append(numberedBlock(-1), 1);
  if (position === undefined) {
    setImmediate(appendOne);
    return;
  }
  const own = number - 1;
  spool.synced(position, (error) => {
    if (!error) process.send!({ number: own, position });
    appendOne();
  });
}

for (let each = 0; each < 16; each++) appendOne();
