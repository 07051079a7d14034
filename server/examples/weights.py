#!/usr/bin/env python3
"""A layer's incoming weights as a numpy array, a row a unit.

    weights.py [RUN [LAYER [FILE.npy]]]

Prints its shape and the range of its values; saves it where a file is named.
"""
import json
import os
import sys
import urllib.request

import numpy

URL = os.environ.get("GOODNESS_URL", "http://127.0.0.1:7007")


def get(path):
    """The answer to a GET: its body, and its header fields."""
    request = urllib.request.Request(URL + path)
    if "GOODNESS_TOKEN" in os.environ:
        request.add_header("Authorization", "Bearer " + os.environ["GOODNESS_TOKEN"])
    with urllib.request.urlopen(request) as response:
        return response.read(), response.headers


def units_of(run, layer):
    """How many units the layer has: the configuration says."""
    body, _ = get(f"/api/v1/runs/{run}")
    size = json.loads(body)["config"]["layers"][layer]
    return size["channels"] if isinstance(size, dict) else size


def weights(run="latest", layer=0):
    """[units][inputs], float32."""
    body, fields = get(f"/api/v1/runs/{run}/layers/{layer}/weights?count={units_of(run, int(layer))}")
    shape = [int(size) for size in fields["X-Shape"].split(",")]
    return numpy.frombuffer(body, "<f4").reshape(shape)


if __name__ == "__main__":
    array = weights(*sys.argv[1:3])
    print(f"{array.shape[0]} units of {array.shape[1]} inputs, from {array.min():.4f} to {array.max():.4f}, deviation {array.std():.4f}")
    if len(sys.argv) > 3:
        numpy.save(sys.argv[3], array)
