"""PyTorch's Adam on the CPU, native code: a yardstick. Reads one line of JSON, writes one: nanoseconds a step, by round; parameters."""
import json
import sys
import time

import numpy
import torch

request = json.loads(sys.stdin.readline())
torch.set_num_threads(1)
shape = (request["tensors"], request["n"] // request["tensors"])
theta = numpy.frombuffer(bytes.fromhex(request["theta"]), dtype="<f4")
gradient = numpy.frombuffer(bytes.fromhex(request["gradient"]), dtype="<f4")
tile = lambda pattern: numpy.resize(pattern, shape).astype("<f4")
params = [torch.nn.Parameter(torch.from_numpy(row.copy())) for row in tile(theta)]
for param, row in zip(params, tile(gradient)):
    param.grad = torch.from_numpy(row.copy())
optimizer = torch.optim.Adam(params, lr=request["lr"], betas=tuple(request["betas"]), eps=request["eps"])
for _ in range(request["steps"]):
    optimizer.step()
checked = params[0].detach().numpy()[: len(theta)].tobytes().hex()
count = max(1, int(2e7 / request["n"] / 40))
samples = []
for _ in range(request["rounds"]):
    begin = time.perf_counter_ns()
    for _ in range(count):
        optimizer.step()
    samples.append((time.perf_counter_ns() - begin) / count)
print(json.dumps({"version": torch.__version__, "samples": samples, "theta": checked}))
