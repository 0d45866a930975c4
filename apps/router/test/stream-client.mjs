// Streams inferences with nothing of Sluice: @grpc/grpc-js and @grpc/proto-loader (protobufjs) as their documentation has
// them. Arguments: host:port, and the folder of the protos. Prints the answers as they were read.
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const [address, protos] = process.argv.slice(2);
const options = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true, includeDirs: [protos] };
const definition = protoLoader.loadSync('inference/grpc_service.proto', options);
const { GRPCInferenceService } = grpc.loadPackageDefinition(definition).inference;
const stream = new GRPCInferenceService(address, grpc.credentials.createInsecure()).ModelStreamInfer();
const answers = [];
stream.on('data', ({ error_message, infer_response }) => {
  answers.push({
    error: error_message,
    id: infer_response.id,
    version: infer_response.model_version,
    prediction: infer_response.parameters.prediction_id?.string_param ?? '',
    arm: infer_response.parameters.sluice_arm?.string_param ?? '',
    final: infer_response.parameters.triton_final_response?.bool_param ?? false,
    shape: infer_response.outputs.map((output) => output.shape.map(String).join()).join(';'),
    values: infer_response.raw_output_contents.map((raw) => [raw.readFloatLE(0), raw.readFloatLE(4)]).flat(),
  });
});
stream.on('end', () => {
  process.stdout.write(JSON.stringify(answers));
});
for (let index = 0; index < 50; index++) {
  const values = index === 13 ? [1, 2, 3] : [index, -index];
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, values.length] }];
  const raw_input_contents = [Buffer.from(Float32Array.from(values).buffer)];
  const parameters = { triton_enable_empty_final_response: { bool_param: true } };
  stream.write({ model_name: 'digits', id: `r${index}`, inputs, raw_input_contents, parameters });
}
stream.end();
