"""A client of the Open Inference Protocol that has nothing of Sluice but the compiled protocol: the C core of gRPC.

Takes an address. Each line of its input is a call, {"method": ..., "request": ...} with the request in protobuf's JSON;
each line of its output is how that ended, {"code": ..., "details": ..., "response": ...}.
"""
import json
import pathlib
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
PROTOCOL = ROOT / "examples" / "clients" / "python" / "inference.binpb"


def load_methods():
    """Request and response classes by method."""
    files = descriptor_pb2.FileDescriptorSet.FromString(PROTOCOL.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    get_class = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype
    service = pool.FindServiceByName("inference.GRPCInferenceService")
    return {each.name: (get_class(each.input_type), get_class(each.output_type)) for each in service.methods}


def main():
    methods = load_methods()
    with grpc.insecure_channel(sys.argv[1]) as channel:
        for line in sys.stdin:
            asked = json.loads(line)
            request_class, response_class = methods[asked["method"]]
            call = channel.unary_unary(
                "/inference.GRPCInferenceService/" + asked["method"],
                request_serializer=request_class.SerializeToString,
                response_deserializer=response_class.FromString,
            )
            try:
                response = call(json_format.ParseDict(asked["request"], request_class()), timeout=55)
                answer = {"code": "OK", "details": "", "response": json_format.MessageToDict(response)}
            except grpc.RpcError as error:
                answer = {"code": error.code().name, "details": error.details(), "response": {}}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
