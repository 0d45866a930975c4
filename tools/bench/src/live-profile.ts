import { pause } from './platform.ts';

/** Where Node listens when SIGUSR1 opens its inspector. */
const inspectorUrl = 'http://127.0.0.1:9229/json/list';

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Own time of one function, as a share of all samples. */
export interface Hotspot {
  readonly where: string;
  readonly share: number;
}

/** Adds up own time by function; the time in which nothing ran is left out. */
export function hotspots(profile: CpuProfile, most: number): Hotspot[] {
  const names = new Map(
    profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const file = url.replace(/^.*\/(?=(?:apps|libs|node_modules)\/)/, '').replace(/^file:\/\//, '');
      const name = functionName === '' ? '(anonymous)' : functionName;
      return [id, file === '' ? name : `${name} ${file}:${lineNumber + 1}`];
    }),
  );
  const own = new Map<string, number>();
  let all = 0;
  for (const [index, id] of profile.samples.entries()) {
    const name = names.get(id) ?? '(unknown)';
    if (name === '(idle)') continue;
    const time = profile.timeDeltas[index] ?? 0;
    own.set(name, (own.get(name) ?? 0) + time);
    all += time;
  }
  return [...own]
    .map(([where, time]) => ({ where, share: time / all }))
    .toSorted((a, b) => b.share - a.share)
    .slice(0, most);
}

/** Samples the main thread of a running Node process while `work` runs. The process is left as it was. */
export async function profileWhile(pid: number, work: () => Promise<void>): Promise<Hotspot[]> {
  const before = await targets();
  if (before.length > 0) throw new Error('another process has its inspector open at port 9229; close it and try again');
  process.kill(pid, 'SIGUSR1');
  const session = await Inspector.open(await inspectorOf());
  try {
    await session.send('Profiler.enable');
    await session.send('Profiler.setSamplingInterval', { interval: 500 });
    await session.send('Profiler.start');
    await work();
    const { profile } = (await session.send('Profiler.stop')) as { profile: CpuProfile };
    return hotspots(profile, 12);
  } finally {
    session.forget('Runtime.evaluate', {
      expression: "setTimeout(() => process.getBuiltinModule('node:inspector').close(), 50)",
    });
    await pause(300);
  }
}

async function targets(): Promise<{ webSocketDebuggerUrl: string }[]> {
  try {
    const response = await fetch(inspectorUrl);
    return (await response.json()) as { webSocketDebuggerUrl: string }[];
  } catch {
    return [];
  }
}

async function inspectorOf(): Promise<string> {
  for (let attempt = 0; attempt < 40; attempt++) {
    const [target] = await targets();
    if (target) return target.webSocketDebuggerUrl;
    await pause(50);
  }
  throw new Error('the process did not open its inspector');
}

/** As much of the inspector's protocol as a profile takes. */
class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: { result?: unknown; error?: { message: string } }) => void>();
  #sent = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as { id?: number; result?: unknown; error?: { message: string } };
      if (message.id !== undefined) this.#waiting.get(message.id)?.(message);
    });
  }

  static async open(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () => reject(new Error(`cannot open ${url}`)));
    });
    return new Inspector(socket);
  }

  async send(method: string, parameters: object = {}): Promise<unknown> {
    const id = this.forget(method, parameters);
    const message = await new Promise<{ result?: unknown; error?: { message: string } }>((resolve) =>
      this.#waiting.set(id, resolve),
    );
    this.#waiting.delete(id);
    if (message.error) throw new Error(`${method}: ${message.error.message}`);
    return message.result;
  }

  /** Sends without waiting for an answer. */
  forget(method: string, parameters: object = {}): number {
    const id = ++this.#sent;
    this.#socket.send(JSON.stringify({ id, method, params: parameters }));
    return id;
  }
}
