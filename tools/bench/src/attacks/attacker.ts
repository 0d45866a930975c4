// A process of its own: attacks a server on many connections for some seconds, and makes a new one for each that has ended.
// Prints one line of JSON.
import { setPriority } from 'node:os';
import process from 'node:process';
import { Attacker } from '@sluice/wire/testing/attacker';
import { attacks } from '@sluice/wire/testing/attacks';
import type { AttackJob, AttackResult } from './attack-job.ts';

async function drive({ port, attack: name, seconds }: AttackJob): Promise<AttackResult> {
  const attack = attacks[name];
  if (attack === undefined) throw new Error(`there is no attack ${name}`);
  const end = Date.now() + seconds * 1000;
  let [connections, ended] = [0, 0];
  let fromMs: number | null = null;
  const lane = async (): Promise<void> => {
    while (Date.now() < end) {
      try {
        const attacker = await Attacker.connect(port, attack.greets ?? true, false);
        if (++connections === attack.connections) fromMs = Date.now();
        await attack.act(attacker);
        if (attacker.over) ended++;
        attacker.stop();
      } catch {
        // Where the server takes no more of them it comes again.
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  };
  const lanes = Array.from({ length: attack.connections }, lane);
  // Most attacks hold what they have for longer: they end with this process.
  await Promise.race([Promise.all(lanes), new Promise((resolve) => setTimeout(resolve, seconds * 1000))]);
  return { fromMs, toMs: Date.now(), connections, ended };
}

// An attacker has a machine of its own elsewhere: here it gets what server and client leave.
setPriority(10);
const result = await drive(JSON.parse(process.argv[2] ?? '') as AttackJob);
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
