/**
 * How messages look in TypeScript. The generator of `src/gen` and the loader that runs in services both read this object,
 * so that types and values cannot differ: camel case fields, 64-bit integers and enums as strings, absent scalars as
 * their default, absent messages as null, oneofs with a property that names the member which is set.
 */
export const loaderOptions = {
  keepCase: false,
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
} as const;

/** The same as flags of `proto-loader-gen-types`. */
export const generatorFlags = [
  '--longs=String',
  '--enums=String',
  '--defaults',
  '--oneofs',
  '--includeComments',
  '--importFileExtension=.ts',
  '--grpcLib=@grpc/grpc-js',
];
