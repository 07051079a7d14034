"""Prints a safetensors file, read with numpy by the public description alone: the independent reader of the tests."""
import hashlib
import json
import sys

import numpy

data = open(sys.argv[1], "rb").read()
length = int.from_bytes(data[:8], "little")
header = json.loads(data[8 : 8 + length].decode())
body = data[8 + length :]
metadata = header.pop("__metadata__")
assert hashlib.sha256(body).hexdigest() == metadata.pop("sha256")
print((8 + length) % 64, sum(end - begin for begin, end in (about["data_offsets"] for about in header.values())) == len(body))
for name, text in metadata.items():
    print(name, text.encode().hex())
for name, about in header.items():
    begin, end = about["data_offsets"]
    array = numpy.frombuffer(body[begin:end], {"F32": "<f4", "F64": "<f8", "U64": "<u8"}[about["dtype"]])
    print(name, array.dtype, array.reshape(about["shape"]).tolist())
