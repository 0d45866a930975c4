"""Classifies handwritten digits with Sluice, from Python, with nothing of Sluice installed.

    python3 classify.py [host:port] [CSV file]

Needs Debian's python3-grpcio and python3-protobuf (or `grpcio` and `protobuf` from anywhere). `inference.binpb` is the
compiled Open Inference Protocol; programs that use protoc's generated modules look the same from `infer` on.
"""
import csv
import pathlib
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent.parent / "models" / "digits" / "holdout.csv"
BATCH = 32


def load_messages():
    """Message classes of the protocol by their short name."""
    files = descriptor_pb2.FileDescriptorSet.FromString((HERE / "inference.binpb").read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    if hasattr(message_factory, "GetMessageClass"):
        get_class = message_factory.GetMessageClass
    else:
        get_class = message_factory.MessageFactory(pool).GetPrototype
    names = ["ModelInferRequest", "ModelInferResponse", "ServerReadyRequest", "ServerReadyResponse"]
    return {name: get_class(pool.FindMessageTypeByName("inference." + name)) for name in names}


def infer(call, messages, rows):
    """Sends rows of 64 pixels, returns the predicted digit of each and who answered."""
    request = messages["ModelInferRequest"](model_name="digits")
    pixels = request.inputs.add(name="pixels", datatype="FP32", shape=[len(rows), 64])
    pixels.contents.fp32_contents.extend(value for row in rows for value in row)
    # A client should name its deadline; the router passes on what is left of it.
    response = call(request, timeout=10)
    scores = memoryview(response.raw_output_contents[0]).cast("f")
    digits = [max(range(10), key=lambda digit: scores[10 * row + digit]) for row in range(len(rows))]
    return digits, response.model_version, response.parameters["prediction_id"].string_param


def main():
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:8001"
    file = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else DATA
    with file.open(newline="") as lines:
        rows = [([float(row[f"p{i}"]) for i in range(64)], int(row["label"])) for row in csv.DictReader(lines)]

    messages = load_messages()
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=messages["ModelInferRequest"].SerializeToString,
            response_deserializer=messages["ModelInferResponse"].FromString,
        )
        right = 0
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            digits, version, prediction_id = infer(call, messages, [pixels for pixels, _ in batch])
            right += sum(digit == label for digit, (_, label) in zip(digits, batch))
    print(f"{right} of {len(rows)} right, by digits version {version}; the last answer was {prediction_id}")


if __name__ == "__main__":
    try:
        main()
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
