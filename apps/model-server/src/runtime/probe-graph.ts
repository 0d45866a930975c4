/** An ONNX file: y = x · x, for x of FP32 [2, 2]. Large enough to need a device's library of matrices. */
export const probeGraph: Uint8Array = Buffer.from(
  'CAgSDnNsdWljZS10ZXN0a2l0QgIQETpDChEKAXgKAXgSAXkiBk1hdE11bBIEdGVzdFoTCgF4Eg4KDAgBEggKAggCCgIIAmITCgF5Eg4KDAgBEggK' +
    'AggCCgIIAg==',
  'base64',
);
