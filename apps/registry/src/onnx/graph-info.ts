/** One input or output as the graph declares it. */
export interface GraphTensor {
  readonly name: string;
  /** What the value is; only tensors can be served. */
  readonly kind: 'tensor' | 'sparse-tensor' | 'sequence' | 'map' | 'optional' | 'opaque' | 'untyped';
  /** ONNX's TensorProto.DataType number; 0 where `kind` is not a tensor. */
  readonly elemType: number;
  /** Undefined when the graph gives no rank. */
  readonly shape: readonly GraphDim[] | undefined;
}

/** A dimension: a size, a name, or neither. */
export type GraphDim =
  | { readonly kind: 'value'; readonly value: number }
  | { readonly kind: 'param'; readonly name: string }
  | { readonly kind: 'unknown' };

export interface OperatorCount {
  /** '' is the standard domain. */
  readonly domain: string;
  readonly type: string;
  readonly count: number;
}

/** A tensor whose bytes are in another file. */
export interface ExternalData {
  readonly tensor: string;
  /** As written in the graph; checked by `checkExternalData`. */
  readonly location: string;
  readonly offset: number;
  /** Undefined when the graph gives none: to the end of the file. */
  readonly length: number | undefined;
}

/** What the scanner reads of an ONNX file without loading it. */
export interface GraphInfo {
  readonly irVersion: number;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly producerName: string;
  readonly producerVersion: string;
  readonly domain: string;
  readonly modelVersion: number;
  readonly graphName: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Without those that are initializers: what a caller must send. */
  readonly inputs: readonly GraphTensor[];
  readonly outputs: readonly GraphTensor[];
  /** Subgraphs and functions counted too; ordered by domain and type. */
  readonly operators: readonly OperatorCount[];
  readonly nodeCount: number;
  readonly initializerCount: number;
  /** Bytes of initializers inside the file. */
  readonly initializerBytes: number;
  readonly externalData: readonly ExternalData[];
}
