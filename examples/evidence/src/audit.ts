import { say, waitFor } from './steps.ts';
import type { World } from './world.ts';

/** Waits for the entry of an erasure in the audit log, and has the whole log verified. @throws Error when it does not verify */
export async function verifyAudit({ registry, signal }: World, erasureId: string): Promise<void> {
  const entry = await waitFor({
    ...{ timeoutMs: 30_000, signal },
    hint: 'Is the registry running? Feedback sends its entries to it.',
    look: async () => {
      const { entries } = await registry.audit.listAuditEntries({ objectPrefix: `erasure/${erasureId}` }, { signal });
      const [first] = entries;
      return first ? { found: first } : { missing: 'the audit entry of the erasure' };
    },
  });
  for await (const { verdict } of registry.audit.verifyAudit({}, { signal })) {
    if (!verdict) continue;
    if (!verdict.ok) throw new Error(`the audit log does not verify: ${verdict.problems.join('; ')}`);
    say(`the audit log verifies: ${verdict.treeSize} entries; ${entry.action} is entry ${entry.leafIndex}`);
    return;
  }
  throw new Error('the registry ended the check of the audit log without a verdict');
}
