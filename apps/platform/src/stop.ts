/** The parts of Node's process by which a person, or the end of the one that started us, asks us to stop. */
export interface StopPort {
  on(event: string, listener: () => void): unknown;
  readonly connected?: boolean | undefined;
  readonly channel?: { unref(): void } | null | undefined;
  exit(code: number): never;
}

/** Where we print to. It fails when whoever read it is gone, as a terminal is after SIGHUP. */
export interface OutputPort {
  on(event: 'error', listener: () => void): unknown;
}

/** Terminals and npm both pass on one Ctrl-C: what comes within this time of the first is the same wish. */
const sameWishMs = 1000;

/** Resolves with the reason when we are to stop. Asked once more, we end at once; children then end by themselves. */
export async function listenForStop(port: StopPort, output: OutputPort): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let first: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    port.on(signal, () => {
      first ??= performance.now();
      if (performance.now() - first > sameWishMs) port.exit(130);
      resolve(signal);
    });
  // Every line that we print from then on fails: none of these is another wish.
  output.on('error', () => resolve('nobody reads its output any more'));
  if (port.connected !== undefined) {
    port.on('disconnect', () => resolve('the command that started it has ended'));
    if (!port.connected) resolve('the command that started it has ended');
    // The channel is for its end alone; it must not keep us running.
    port.channel?.unref();
  }
  return promise;
}
