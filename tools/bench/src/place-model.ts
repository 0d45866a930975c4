import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { noEvidence, setCapture } from './capture.ts';
import { connect } from './platform.ts';
import type { WorkloadPlan } from './workloads.ts';

const chunkBytes = 1024 * 1024;

/**
 * Makes sure that the registry has this graph as a version, and returns its number. A graph that it has from an earlier
 * run is not pushed again. Nothing holds the version yet: no runtime loads it.
 */
export async function pushModel(address: string, plan: WorkloadPlan, graphFile: string): Promise<string> {
  const registry = connect(address);
  try {
    const models = await registry.listModels({ pageSize: 1000 });
    if (!models.models.some(({ name }) => name === plan.model)) {
      const settings = { owner: 'bench', description: 'Made by npm run bench', approvalsRequired: 0 };
      await registry.createModel({ name: plan.model, settings });
    }
    await setCapture(address, plan.model, noEvidence);
    return await push(registry, plan, graphFile);
  } finally {
    registry.close();
  }
}

/** The same, and an alias that keeps it loaded; returns when it is. */
export async function placeModel(address: string, plan: WorkloadPlan, graphFile: string): Promise<string> {
  if ('example' in plan.graph) return '1';
  const number = await pushModel(address, plan, graphFile);
  const registry = connect(address);
  try {
    const { move } = await registry.moveAlias({ model: plan.model, alias: 'bench', version: Number(number) });
    for await (const { move: now } of registry.watchAliasMove({ moveId: move!.id }, { timeoutMs: 120_000 })) {
      if (now?.state === 'ALIAS_MOVE_STATE_EFFECTIVE') return number;
    }
    throw new Error(`${plan.model} was not placed: the move of its alias ended without effect`);
  } finally {
    registry.close();
  }
}

async function push(registry: ReturnType<typeof connect>, plan: WorkloadPlan, graphFile: string): Promise<string> {
  const queue = plan.maxQueueSize === undefined ? '' : `  max_queue_size: ${plan.maxQueueSize}\n`;
  const manifest = `batching:\n  max_batch_size: ${plan.maxBatchSize}\n${queue}`;
  const files = [
    { path: 'model.onnx', bytes: readFileSync(graphFile) },
    { path: 'sluice.yaml', bytes: Buffer.from(manifest) },
  ].map((file) => ({
    ...file,
    sha256: createHash('sha256').update(file.bytes).digest('hex'),
    size: file.bytes.length,
  }));
  const { present } = await registry.statArtifacts({ sha256: files.map(({ sha256 }) => sha256) });
  for (const { sha256, size, bytes } of files) {
    if (present.includes(sha256)) continue;
    const chunks = Array.from({ length: Math.ceil(size / chunkBytes) }, (_, index) => ({
      chunk: bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes),
    }));
    await registry.uploadArtifact([{ header: { sha256, size } }, ...chunks], { timeoutMs: 120_000 });
  }
  const listed = files.map(({ path: file, sha256, size }) => ({ path: file, sha256, size }));
  const requestId = `bench-${files.map(({ sha256 }) => sha256.slice(0, 32)).join('-')}`;
  const made = { model: plan.model, files: listed, graphPath: 'model.onnx', requestId };
  for await (const { version } of registry.createVersion(made, { timeoutMs: 300_000 })) {
    if (version === null) continue;
    if (version.state === 'VERSION_STATE_REJECTED') throw new Error(`${plan.model} was rejected: ${version.rejection}`);
    return version.number;
  }
  throw new Error(`the registry ended the push of ${plan.model} without a version`);
}
