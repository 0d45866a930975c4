/**
 * From 1.29 on, ONNX Runtime's builds for Linux tell Microsoft the name, the hashes and the input types of every model
 * that is loaded, unless this is set before the library is loaded. They also keep a database in the home folder and leave
 * a file in the folder for temporary files, for every process.
 */
export const withoutOnnxTelemetry = { ORT_DISABLE_TELEMETRY: '1' } as const;

/**
 * Turns that off for this process and its children. Call it in the main thread: what a worker thread sets, native code
 * does not see.
 */
export function disableOnnxTelemetry(): void {
  // eslint-disable-next-line no-restricted-syntax -- nothing is read: this is how native code is told
  Object.assign(process.env, withoutOnnxTelemetry);
}
