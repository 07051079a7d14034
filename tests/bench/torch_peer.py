#!/usr/bin/env python3
"""The same training step in PyTorch, beside ours in the same minutes.

ReLU, mean of squares minus threshold, logistic, rows normalized between layers, SGD with momentum: once with the layer's
gradient written out as matrix products, once by autograd, each with one thread and with two. The best of these four is the
yardstick. They and we take turns; the best of the rounds counts.

    /usr/bin/python3 tests/bench/torch_peer.py BUILD_FOLDER [--rounds N]

Needs Debian's python3-torch. Each setting is a process of its own, since BLAS takes its number of threads at the start.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import time

NETWORKS = [("784-4x2000, batch 100", [784, 2000, 2000, 2000, 2000], 100, "1.25"),
            ("784-500-500, batch 128", [784, 500, 500], 128, "2")]
SETTINGS = [(style, threads) for style in ("manual", "autograd") for threads in (1, 2)]
RATE, MOMENTUM, THRESHOLD, SECONDS = 1e-5, 0.9, 1.0, 1.5


def normalized(rows):
    return rows / (rows.square().mean(1, keepdim=True).sqrt() + 1e-8)


class Manual:
    """Every layer's local gradient by hand."""

    def __init__(self, torch, sizes, batch):
        self.torch, self.batch = torch, batch
        self.weights = [torch.randn(i, o) * i ** -0.5 for i, o in zip(sizes, sizes[1:])]
        self.biases = [torch.zeros(o) for o in sizes[1:]]
        self.weight_velocity = [torch.zeros_like(w) for w in self.weights]
        self.bias_velocity = [torch.zeros_like(b) for b in self.biases]
        self.sign = torch.cat([torch.ones(batch), -torch.ones(batch)])

    def step(self, x):
        with self.torch.no_grad():
            for w, b, vw, vb in zip(self.weights, self.biases, self.weight_velocity, self.bias_velocity):
                h = self.torch.addmm(b, x, w).clamp_(min=0)
                surprise = self.torch.sigmoid(self.sign * (THRESHOLD - h.square().mean(1)))
                delta = h * (-2 / (h.shape[1] * self.batch) * self.sign * surprise)[:, None]
                vw.mul_(MOMENTUM).addmm_(x.t(), delta)
                vb.mul_(MOMENTUM).add_(delta.sum(0))
                w.sub_(vw, alpha=RATE)
                b.sub_(vb, alpha=RATE)
                x = normalized(h)


class Autograd:
    """The layers' losses summed; autograd sees no path from one layer to another."""

    def __init__(self, torch, sizes, batch):
        self.torch, self.batch = torch, batch
        self.layers = [torch.nn.Linear(i, o) for i, o in zip(sizes, sizes[1:])]
        parameters = [p for layer in self.layers for p in layer.parameters()]
        self.optimizer = torch.optim.SGD(parameters, lr=RATE, momentum=MOMENTUM)
        self.sign = torch.cat([torch.ones(batch), -torch.ones(batch)])

    def step(self, x):
        self.optimizer.zero_grad()
        loss = 0
        for layer in self.layers:
            h = self.torch.relu(layer(x))
            loss = loss + self.torch.nn.functional.softplus(self.sign * (THRESHOLD - h.square().mean(1))).sum()
            x = normalized(h.detach())
        (loss / self.batch).backward()
        self.optimizer.step()


def pairs(torch, batch, pixels):
    """Positive and negative rows of the same images, the label over the first ten pixels."""
    images = torch.rand(batch, pixels) * (torch.rand(batch, pixels) < 0.2)
    images[:, :10] = 0
    labels = torch.randint(0, 10, (batch,))
    positive, negative = images.clone(), images.clone()
    positive[torch.arange(batch), labels] = 1
    negative[torch.arange(batch), (labels + torch.randint(1, 10, (batch,))) % 10] = 1
    return torch.cat([positive, negative])


def worker(style, threads):
    """Measures a network of NETWORKS for every number that comes on standard input; answers with images a second. What makes
    the pairs is not counted."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    for line in sys.stdin:
        _, sizes, batch, _ = NETWORKS[int(line)]
        network = (Manual if style == "manual" else Autograd)(torch, sizes, batch)
        rows = [pairs(torch, batch, sizes[0]) for _ in range(8)]
        for x in rows[:3]:
            network.step(x)
        steps, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < SECONDS:
            network.step(rows[steps % len(rows)])
            steps += 1
        print(batch * steps / (time.perf_counter() - begin), flush=True)


class Worker:
    def __init__(self, style, threads):
        self.name = f"{style}, {threads} thread{'s' if threads > 1 else ''}"
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
        self.process = subprocess.Popen([sys.executable, __file__, "--worker", style, str(threads)], env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def measure(self, network):
        self.process.stdin.write(f"{network}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"torch_peer.py: torch ({self.name}) ended early; is Debian's python3-torch installed?")
        return float(answer)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def ours(build, network):
    _, sizes, batch, _ = NETWORKS[network]
    program = pathlib.Path(build) / "tests" / "bench_rate"
    output = subprocess.run([program, str(len(sizes) - 1), str(sizes[1]), str(batch)], check=True, stdout=subprocess.PIPE)
    return float(output.stdout)


def compare(build, network, workers, rounds):
    best, theirs = 0, {worker.name: 0 for worker in workers}
    for _ in range(rounds):
        best = max(best, ours(build, network))
        for peer in workers:
            theirs[peer.name] = max(theirs[peer.name], peer.measure(network))
    name, _, _, bound = NETWORKS[network]
    for peer in workers:
        yardstick = f"torch ({peer.name})"
        mark = f"   the best of torch (to reach: {bound})" if theirs[peer.name] == max(theirs.values()) else ""
        print(f"{name + ', training':<40} {best:12,.0f} images/s   {yardstick:<28} {theirs[peer.name]:9,.0f} images/s   "
              f"{best / theirs[peer.name]:.2f} times it{mark}", flush=True)


def main():
    if sys.argv[1:2] == ["--worker"]:
        return worker(sys.argv[2], int(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="folder of a build with the tests")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    workers = [Worker(*setting) for setting in SETTINGS]
    try:
        for network in range(len(NETWORKS)):
            compare(arguments.build, network, workers, arguments.rounds)
    finally:
        for peer in workers:
            peer.end()
    return None


main()
