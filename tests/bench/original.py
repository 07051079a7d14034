#!/usr/bin/env python3
"""The numpy original's training, timed: one image a step, tanh, the gap of sums of squares, float64.

Needs Debian's python3-numpy. Prints a line of JSON: seconds of the epochs with their tests, and the last accuracy.
    python3 original.py FOLDER_WITH_MNIST [--seed N] [--epochs N] [--images N] [--layers 500 300 10]
"""
import argparse
import gzip
import json
import pathlib
import time

import numpy as np


def read(folder, name, header):
    for path in (folder / name, folder / (name + ".gz")):
        if path.exists():
            opened = gzip.open(path) if path.suffix == ".gz" else path.open("rb")
            with opened as file:
                return np.frombuffer(file.read(), np.uint8, offset=header)
    raise SystemExit(f"{folder} has no {name}")


def step(layers, x, rate):
    """One layer after the other: both passes, the update, both passes again with the updated weights."""
    positive, negative = x
    for layer in layers:
        a, b = np.tanh(positive @ layer["W"] + layer["b"]), np.tanh(negative @ layer["W"] + layer["b"])
        da, db = -2 * a * (1 - a * a), 2 * b * (1 - b * b)
        layer["W"] -= rate * np.outer(positive, da)
        layer["b"] -= rate * da
        layer["W"] -= rate * np.outer(negative, db)
        layer["b"] -= rate * db
        positive, negative = np.tanh(positive @ layer["W"] + layer["b"]), np.tanh(negative @ layer["W"] + layer["b"])


def with_label(image, label):
    hot = np.zeros(10)
    hot[label] = 1
    return np.concatenate([hot, image])


def predict(layers, image):
    scores = np.zeros(10)
    for label in range(10):
        x = with_label(image, label)
        for layer in layers:
            x = np.tanh(x @ layer["W"] + layer["b"])
            scores[label] += (x * x).sum()
    return scores.argmax()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--epochs", type=int, default=10)
    p.add_argument("--images", type=int, default=1000)
    p.add_argument("--layers", type=int, nargs="+", default=[500, 300, 10])
    a = p.parse_args()
    train = read(a.folder, "train-images-idx3-ubyte", 16).reshape(-1, 784)[:a.images] / 255.0
    labels = read(a.folder, "train-labels-idx1-ubyte", 8)[:a.images]
    test = read(a.folder, "t10k-images-idx3-ubyte", 16).reshape(-1, 784)[:a.images] / 255.0
    test_labels = read(a.folder, "t10k-labels-idx1-ubyte", 8)[:a.images]
    rng = np.random.default_rng(a.seed)
    sizes = [794, *a.layers]
    layers = [{"W": rng.normal(0, np.sqrt(2 / i), (i, o)), "b": np.zeros(o)} for i, o in zip(sizes, sizes[1:])]
    start = time.perf_counter()
    for _ in range(a.epochs):
        for image, label in zip(train, labels):
            wrong = (label + rng.integers(1, 10)) % 10
            step(layers, (with_label(image, label), with_label(image, wrong)), 0.004)
        accuracy = np.mean([predict(layers, image) == label for image, label in zip(test, test_labels)])
    print(json.dumps({"seed": a.seed, "epochs": a.epochs, "seconds": round(time.perf_counter() - start, 2),
                      "test_accuracy": round(float(accuracy), 4)}))


main()
