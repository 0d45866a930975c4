"""Streams inferences from Python, on the C core of gRPC, with nothing of Sluice.

Arguments: host:port, and the compiled protocol (a FileDescriptorSet). Prints the answers as they were read.
"""
import json
import pathlib
import struct
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

files = descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(sys.argv[2]).read_bytes())
pool = descriptor_pool.DescriptorPool()
for file in files.file:
    pool.Add(file)
if hasattr(message_factory, "GetMessageClass"):
    get_class = message_factory.GetMessageClass
else:
    get_class = message_factory.MessageFactory(pool).GetPrototype
Request, Response = (
    get_class(pool.FindMessageTypeByName("inference." + name))
    for name in ("ModelInferRequest", "ModelStreamInferResponse")
)


def requests():
    for index in range(50):
        request = Request(model_name="digits", id=f"r{index}")
        request.parameters["triton_enable_empty_final_response"].bool_param = True
        values = [1, 2, 3] if index == 13 else [index, -index]
        request.inputs.add(name="x", datatype="FP32", shape=[1, len(values)])
        request.raw_input_contents.append(struct.pack(f"<{len(values)}f", *values))
        yield request


def plain(message):
    response = message.infer_response
    parameters = response.parameters
    return {
        "error": message.error_message,
        "id": response.id,
        "version": response.model_version,
        "prediction": parameters["prediction_id"].string_param,
        "arm": parameters["sluice_arm"].string_param,
        "final": parameters["triton_final_response"].bool_param,
        "shape": ";".join(",".join(str(each) for each in output.shape) for output in response.outputs),
        "values": [each for raw in response.raw_output_contents for each in struct.unpack("<2f", raw)],
    }


with grpc.insecure_channel(sys.argv[1]) as channel:
    call = channel.stream_stream(
        "/inference.GRPCInferenceService/ModelStreamInfer",
        request_serializer=Request.SerializeToString,
        response_deserializer=Response.FromString,
    )
    print(json.dumps([plain(message) for message in call(requests(), timeout=30)]))
