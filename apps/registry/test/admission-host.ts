/** A process that admits `model.onnx` of the folder that it is given, for tests that kill it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@sluice/service-kit/clock';
import { createAdmission } from '../src/admission/create-admission.ts';
import { FolderStore } from '../src/artifacts/folder-store.ts';

const folder = process.argv[2]!;
const path = join(folder, 'model.onnx');
const bytes = await readFile(path);
const file = { path: 'model.onnx', sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length };
const store = new FolderStore({ clock: systemClock, folder: join(folder, 'artifacts') });
await store.put(file, createReadStream(path) as AsyncIterable<Uint8Array>);
const admission = createAdmission({ store, clock: systemClock, workFolder: join(folder, 'work') });
await admission.admit(await admission.inspect({ files: [file], graphPath: '' }));
