// Streams three sequences, their requests taking turns and none waiting for an answer, with nothing of Sluice: grpc-js and
// proto-loader alone. The fifth request of each is wrong. Arguments: host:port, and the folder of the protos. Prints the
// answers as they were read.
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
    prediction: infer_response.parameters.prediction_id?.string_param ?? '',
    values: infer_response.raw_output_contents.map((raw) => [raw.readFloatLE(0), raw.readFloatLE(4)]).flat(),
  });
});
stream.on('end', () => {
  process.stdout.write(JSON.stringify(answers));
});
const [first, last] = [1, 20];
for (let step = first; step <= last; step++) {
  for (const sequence_id of [{ int64_param: 7 }, { uint64_param: 8 }, { string_param: 'seven' }]) {
    const values = step === 5 ? [1, 2, 3] : [step, -step];
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, values.length] }];
    const raw_input_contents = [Buffer.from(Float32Array.from(values).buffer)];
    const sequence_start = { bool_param: step === first };
    const sequence_end = { bool_param: step === last };
    const id = `${Object.values(sequence_id)[0]}/${step}`;
    const parameters = { sequence_id, sequence_start, sequence_end };
    stream.write({ model_name: 'digits', id, inputs, raw_input_contents, parameters });
  }
}
stream.end();
