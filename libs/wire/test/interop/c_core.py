"""Calls of the echo service by gRPC's C core: python c_core.py PART ADDRESS. Prints what it found as JSON."""

import json
import sys
import threading
import time

import grpc

UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
PART, ADDRESS = sys.argv[1:3]
# Files of TLS: authorities, certificate, key; without them connections are plain.
FILES = sys.argv[3:6]


def connect(**options):
    if not FILES:
        return grpc.insecure_channel(ADDRESS, **options)
    ca, cert, key = (open(name, "rb").read() for name in FILES)
    return grpc.secure_channel(ADDRESS, grpc.ssl_channel_credentials(ca, key, cert), **options)


class Caller:
    """The four methods, with bytes for messages."""

    def __init__(self, options=(), compression=None):
        self.channel = connect(options=[*UNLIMITED, *options], compression=compression)
        self.unary = self.channel.unary_unary("/test.Echo/Unary")
        self.download = self.channel.unary_stream("/test.Echo/Download")
        self.upload = self.channel.stream_unary("/test.Echo/Upload")
        self.chat = self.channel.stream_stream("/test.Echo/Chat")


def code_of(call):
    return call.code().name


def unary():
    caller = Caller()
    sizes = [0, 1, 16378, 16379, 16380, 65535, 1000000]
    return [size for size in sizes if caller.unary(b"m" * size, timeout=10) == b"m" * size]


def streams():
    caller = Caller()
    numbers = [b"%d" % number for number in range(1000)]
    download = list(caller.download(b"again", metadata=[("x-count", "1000")], timeout=10))
    upload = caller.upload(iter(numbers), timeout=10)
    chat = list(caller.chat(iter(numbers), timeout=10))
    large = [b"%d" % number * 200000 for number in range(10, 40)]
    return {
        "download": len(download) if set(download) == {b"again"} else 0,
        "upload": upload == b"".join(numbers),
        "chat": chat == numbers,
        "large": list(caller.chat(iter(large), timeout=20)) == large,
        "empty download": list(caller.download(b"", timeout=10)),
        "empty upload": caller.upload(iter([]), timeout=10).decode(),
        "empty chat": list(caller.chat(iter([]), timeout=10)),
    }


def ping_pong():
    """Each message waits for the answer to the one before."""
    caller = Caller()
    answered = threading.Semaphore(1)

    def requests():
        for number in range(2000):
            answered.acquire()
            yield b"%d" % number

    count = 0
    for answer in caller.chat(requests(), timeout=20):
        count += answer == b"%d" % count
        answered.release()
    return count


def large():
    caller = Caller()
    message = bytes(range(256)) * (256 * 1024)
    return [caller.unary(message, timeout=25) == message for _ in range(2)]


def status():
    caller = Caller()
    call = caller.unary.future(b"", metadata=[("x-status", "5"), ("tail-why", "x"), ("tail-b-bin", b"\x00\xff")])
    trailers = {key: str(value) for key, value in call.trailing_metadata() if key.startswith("tail-")}
    unknown = caller.channel.unary_unary("/test.Echo/Nothing").future(b"")
    return {"code": code_of(call), "details": call.details(), "trailers": trailers, "unknown": code_of(unknown)}


def metadata():
    caller = Caller()
    sent = [("head-text", "a b"), ("head-b-bin", b"\x00\x01\xfe"), ("tail-text", "1"), ("tail-text", "2")]
    sent.append(("tail-empty-bin", b""))
    found = {}
    answer, call = caller.unary.with_call(b"", metadata=[*sent, ("x-filler", "v" * 5000)])
    for name, fields in (("head", call.initial_metadata()), ("tail", call.trailing_metadata())):
        found[name] = sorted([key, str(value)] for key, value in fields if key.startswith(name))
    return found


def deadline():
    caller = Caller()
    began = time.monotonic()
    late = caller.unary.future(b"", metadata=[("x-wait-ms", "3000")], timeout=0.3)
    code = code_of(late)
    took = time.monotonic() - began
    never = threading.Event()
    chat = caller.chat((b"x" for _ in range(1) if never.wait(1)), timeout=0.3)
    try:
        list(chat)
    except grpc.RpcError:
        pass
    return {"unary": code, "chat": code_of(chat), "in time": took < 2, "next": caller.unary(b"x", timeout=5).decode()}


def cancel():
    caller = Caller()
    caller.unary(b"", timeout=5)
    calls = [caller.unary.future(b"", metadata=[("x-wait-ms", "5000")]) for _ in range(50)]
    stream = caller.download(b"x" * 1000, metadata=[("x-count", "1000000")])
    next(stream)
    time.sleep(0.2)
    for call in [*calls, stream]:
        call.cancel()
    return {"codes": sorted({code_of(call) for call in [*calls, stream]}), "next": caller.unary(b"x", timeout=5).decode()}


def compressed():
    found = {}
    for algorithm in (grpc.Compression.Gzip, grpc.Compression.Deflate):
        caller = Caller(compression=algorithm)
        messages = [b"", b"a", b"abc" * 10000, b"x" * 3000000]
        unary_answers = [caller.unary(message, timeout=10) for message in messages]
        chat_answers = list(caller.chat(iter(messages * 5), timeout=20))
        found[algorithm.name] = unary_answers == messages and chat_answers == messages * 5
    return found


def keepalive():
    """Pings every second, with a call and without, for a while; the states that the channel went through."""
    caller = Caller(
        [
            ("grpc.keepalive_time_ms", 1000),
            ("grpc.keepalive_timeout_ms", 1000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.max_pings_without_data", 0),
            ("grpc.http2.min_time_between_pings_ms", 500),
        ]
    )
    states = []
    caller.channel.subscribe(lambda state: states.append(state.name))
    waiting = caller.unary.future(b"", metadata=[("x-wait-ms", "2500")], timeout=5)
    code = code_of(waiting)
    time.sleep(2.5)
    return {"states": states[states.index("READY") :], "code": code}


def refused():
    """Calls that are answered before all of their request has come."""
    caller = Caller()
    nothing = caller.channel.unary_unary("/test.Echo/Nothing")
    found = {}
    for name, method in (("unknown", nothing), ("too large", caller.unary)):
        calls = [method.future(b"r" * 300000, timeout=20) for _ in range(200)]
        found[name] = sorted({code_of(call) for call in calls})
    return found


def concurrent():
    caller = Caller()
    calls = [caller.unary.future(b"%d" % number, timeout=20) for number in range(3000)]
    return sum(call.result() == b"%d" % number for number, call in enumerate(calls))


def goaway():
    """Waits for the answers of a server that goes away meanwhile, and calls again."""
    caller = Caller()
    caller.unary(b"", timeout=5)
    calls = [caller.unary.future(b"x" * 10000, metadata=[("x-wait-ms", "1000")], timeout=10) for _ in range(100)]
    codes = sorted({code_of(call) for call in calls})
    return {"codes": codes, "later": code_of(caller.unary.future(b"", timeout=5))}


print(json.dumps(globals()[PART]()))
