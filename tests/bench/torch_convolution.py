#!/usr/bin/env python3
"""A training step of preset conv's network in PyTorch, beside ours in the same minutes, on one thread each.

Class groups: every layer's goodness, softmax cross entropy of its own, nothing flows from one layer to another; the layers'
losses are summed and autograd does the rest, with Adam. They and we take turns; the best of the rounds counts.

    /usr/bin/python3 tests/bench/torch_convolution.py BUILD_FOLDER [--rounds N]

Needs Debian's python3-torch; without it, it says so and ends well.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import time

BATCH, CLASSES, SECONDS, REACH = 100, 10, 2.0, 1.5
CONVOLUTIONS = [(1, 40, 5), (40, 80, 3), (80, 160, 3)]
UNITS, TEMPERATURES = 500, [0.05, 0.1, 0.2, 0.3]


class Network:
    def __init__(self, torch):
        self.torch, self.f = torch, torch.nn.functional
        self.layers = [torch.nn.Conv2d(below, channels, kernel, padding=kernel // 2) for below, channels, kernel in CONVOLUTIONS]
        self.layers.append(torch.nn.Linear(160 * 3 * 3, UNITS))
        self.norms = [torch.nn.BatchNorm2d(channels, affine=False, momentum=0.05) for _, channels, _ in CONVOLUTIONS]
        self.norms.append(torch.nn.BatchNorm1d(UNITS, affine=False, momentum=0.05))
        self.optimizer = torch.optim.Adam([p for layer in self.layers for p in layer.parameters()], lr=1e-5, betas=(0.9, 0.99))

    def activities(self, number, x):
        convolves = number < len(CONVOLUTIONS)
        z = self.layers[number](x if convolves else x.flatten(1))
        if convolves:
            z = self.f.max_pool2d(z, 2)
        return self.torch.relu(self.norms[number](z))

    def step(self, x, labels):
        self.optimizer.zero_grad()
        loss = 0
        for number, temperature in enumerate(TEMPERATURES):
            a = self.activities(number, x)
            goodness = a.square().reshape(BATCH, CLASSES, -1).mean(2)
            loss = loss + self.f.cross_entropy(goodness / temperature, labels)
            a = a.detach()
            x = a / (a.square().mean(1, keepdim=True) + 1e-3).sqrt()
        loss.backward()
        self.optimizer.step()


def worker():
    """Images a second for every line that comes on standard input."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = Network(torch)
    batches = [(torch.randn(BATCH, 1, 28, 28), torch.randint(0, CLASSES, (BATCH,))) for _ in range(4)]
    network.step(*batches[0])
    for _ in sys.stdin:
        steps, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < SECONDS:
            network.step(*batches[steps % len(batches)])
            steps += 1
        print(BATCH * steps / (time.perf_counter() - begin), flush=True)


def ours(build):
    program = pathlib.Path(build) / "tests" / "bench_convolution"
    return float(subprocess.run([program, "--rate"], check=True, stdout=subprocess.PIPE).stdout)


def theirs(process):
    process.stdin.write("\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise SystemExit("torch_convolution.py: torch ended early")
    return float(answer)


def main():
    if sys.argv[1:2] == ["--worker"]:
        return worker()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="folder of a build with the tests")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if subprocess.run([sys.executable, "-c", "import torch"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        print("not beside PyTorch: Debian's python3-torch is not installed")
        return None
    environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    process = subprocess.Popen([sys.executable, __file__, "--worker"], env=environment, text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    best = peer = 0
    for _ in range(arguments.rounds):
        best, peer = max(best, ours(arguments.build)), max(peer, theirs(process))
    process.stdin.close()
    process.wait()
    print(f"preset conv's network, one thread: {best:,.0f} images/s   torch {peer:,.0f} images/s   {best / peer:.2f} times it "
          f"(to reach: {REACH})")
    return None


main()
