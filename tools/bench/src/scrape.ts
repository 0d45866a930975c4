import { readFileSync } from 'node:fs';
import { get as getPlain, type IncomingMessage } from 'node:http';
import { get as getSecured } from 'node:https';
import { text } from 'node:stream/consumers';
import { parseMetrics, type Sample } from './metrics-text.ts';

/** Reads the metrics of a service of this machine. @param caFile what its certificate is of; undefined: it has no TLS */
export async function scrape(port: number, caFile?: string): Promise<Sample[]> {
  // A connection for each: one that is kept may be closed by the other side just when it is used again.
  const where = { host: '127.0.0.1', port, path: '/metrics', agent: false } as const;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request =
      caFile === undefined ? getPlain(where, resolve) : getSecured({ ...where, ca: readFileSync(caFile) }, resolve);
    request.once('error', reject);
  });
  return parseMetrics(await text(response));
}
