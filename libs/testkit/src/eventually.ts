/**
 * Calls `probe` until it returns without throwing, or throws its last error after `timeoutMs`. For integration tests
 * that wait for another process; unit tests use the fake clock instead.
 */
export async function eventually<T>(probe: () => T | Promise<T>, timeoutMs = 30_000, everyMs = 25): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() >= end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
