/** Runs what is somebody else's: what it throws is thrown too, but not through whoever has to go on with others. */
export function apart(run: () => void): void {
  try {
    run();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
