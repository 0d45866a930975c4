/** Names of the fields of ONNX's messages that the scanner reads or may complain of, by number. */
export const modelFields = {
  1: 'ir_version',
  2: 'producer_name',
  3: 'producer_version',
  4: 'domain',
  5: 'model_version',
  6: 'doc_string',
  7: 'graph',
  8: 'opset_import',
  14: 'metadata_props',
  20: 'training_info',
  25: 'functions',
} as const;

export const opsetFields = { 1: 'domain', 2: 'version' } as const;
export const entryFields = { 1: 'key', 2: 'value' } as const;

export const graphFields = {
  1: 'node',
  2: 'name',
  5: 'initializer',
  10: 'doc_string',
  11: 'input',
  12: 'output',
  13: 'value_info',
  14: 'quantization_annotation',
  15: 'sparse_initializer',
} as const;

export const nodeFields = { 1: 'input', 2: 'output', 3: 'name', 4: 'op_type', 5: 'attribute', 7: 'domain' } as const;

export const attributeFields = {
  1: 'name',
  2: 'f',
  3: 'i',
  4: 's',
  5: 't',
  6: 'g',
  7: 'floats',
  8: 'ints',
  9: 'strings',
  10: 'tensors',
  11: 'graphs',
  22: 'sparse_tensor',
  23: 'sparse_tensors',
} as const;

export const tensorFields = {
  1: 'dims',
  2: 'data_type',
  4: 'float_data',
  5: 'int32_data',
  6: 'string_data',
  7: 'int64_data',
  8: 'name',
  9: 'raw_data',
  10: 'double_data',
  11: 'uint64_data',
  13: 'external_data',
  14: 'data_location',
} as const;

export const sparseFields = { 1: 'values', 2: 'indices', 3: 'dims' } as const;
export const valueFields = { 1: 'name', 2: 'type' } as const;
export const typeFields = {
  1: 'tensor_type',
  4: 'sequence_type',
  5: 'map_type',
  7: 'opaque_type',
  8: 'sparse_tensor_type',
  9: 'optional_type',
} as const;
export const tensorTypeFields = { 1: 'elem_type', 2: 'shape' } as const;
export const shapeFields = { 1: 'dim' } as const;
export const dimFields = { 1: 'dim_value', 2: 'dim_param' } as const;
export const functionFields = { 1: 'name', 7: 'node', 10: 'domain' } as const;
