"""
PyTorch on one thread, native code: python3 pytorch_training.py <workload as JSON>.

Speaks the protocol of train/contender-process.ts, and names the BLAS that its products run on. It
refuses the reference BLAS, which is several times slower and tells nothing about PyTorch.
"""
import ctypes
import json
import os
import re
import resource
import sys
import time

import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
workload = json.loads(sys.argv[1])


def uniform(count, stream):
    """The numbers of train/workloads.ts."""
    h = (np.arange(count, dtype=np.uint64) + (stream * 0x9E3779B9 & 0xFFFFFFFF)) & 0xFFFFFFFF
    h = ((h ^ (h >> np.uint64(16))) * np.uint64(0x85EBCA6B)) & np.uint64(0xFFFFFFFF)
    h = ((h ^ (h >> np.uint64(13))) * np.uint64(0xC2B2AE35)) & np.uint64(0xFFFFFFFF)
    return ((h ^ (h >> np.uint64(16))) >> np.uint64(8)).astype(np.float64) / 2**24


class Positions(nn.Module):
    def __init__(self, values):
        super().__init__()
        self.weight = nn.Parameter(values)

    def forward(self, x):
        return x + self.weight


class Transformer(nn.Module):
    """x + attention(norm x), then x + dense layers(norm x)."""

    def __init__(self, features, heads):
        super().__init__()
        self.first, self.second = nn.LayerNorm(features), nn.LayerNorm(features)
        self.attention = nn.MultiheadAttention(features, heads, batch_first=True)
        self.wide, self.narrow = nn.Linear(features, 4 * features), nn.Linear(4 * features, features)

    def forward(self, x):
        later = torch.ones(x.shape[1], x.shape[1]).triu(1).bool()
        h = self.first(x)
        x = x + self.attention(h, h, h, attn_mask=later, need_weights=False)[0]
        return x + self.narrow(nn.functional.relu(self.wide(self.second(x))))


class Lstm(nn.Module):
    """All steps. PyTorch's second bias would learn what the first does: it stays 0."""

    def __init__(self, features, units):
        super().__init__()
        self.cell = nn.LSTM(features, units, batch_first=True)
        self.cell.bias_hh_l0.requires_grad_(False)

    def forward(self, x):
        return self.cell(x)[0]


class Gru(nn.Module):
    """The last step."""

    def __init__(self, features, units):
        super().__init__()
        self.cell = nn.GRU(features, units, batch_first=True)

    def forward(self, x):
        return self.cell(x)[1][0]


class GlobalAvgPool(nn.Module):
    def forward(self, x):
        return x.flatten(2).mean(2)


class Model(nn.Module):
    """The workload's layers, with its first weights: images and sequences that are convolved have channels first."""

    def __init__(self):
        super().__init__()
        self.stack = nn.ModuleList()
        self.stream = 16
        shape = list(workload['input'])
        image = None
        for layer in workload['layers']:
            kind, channels = layer['kind'], shape[-1]
            if kind == 'dense':
                module = nn.Linear(channels, layer['units'])
                weight = self.drawn([layer['units'], channels], channels)
                if image:  # flattened from height × width × channels; here it is channels × height × width
                    weight = weight.reshape(-1, *image).permute(0, 3, 1, 2).reshape(layer['units'], -1)
                self.set(module, weight)
                shape, image = [*shape[:-1], layer['units']], None
            elif kind == 'conv':
                size, filters, stride = layer['size'], layer['filters'], layer.get('stride', 1)
                module = nn.Conv2d(channels, filters, size, stride, padding=size // 2, bias=layer.get('useBias', True))
                self.set(module, self.drawn([filters, size, size, channels], size * size * channels).permute(0, 3, 1, 2))
                shape = [-(-shape[0] // stride), -(-shape[1] // stride), filters]
            elif kind == 'depthwise':
                size, stride = layer['size'], layer['stride']
                module = nn.Conv2d(channels, channels, size, stride, padding=size // 2, groups=channels, bias=False)
                with torch.no_grad():
                    module.weight.copy_(self.drawn([size, size, channels, 1], size * size).permute(2, 3, 0, 1))
                shape = [-(-shape[0] // stride), -(-shape[1] // stride), channels]
            elif kind == 'conv1d':
                size, filters = layer['size'], layer['filters']
                module = nn.Conv1d(channels, filters, size, padding=size // 2)
                self.set(module, self.drawn([filters, size, channels], size * channels).permute(0, 2, 1))
                shape = [shape[0], filters]
            elif kind in ('maxPool', 'maxPool1d'):
                module = (nn.MaxPool2d if kind == 'maxPool' else nn.MaxPool1d)(layer['size'])
                shape = [*(length // layer['size'] for length in shape[:-1]), channels]
            elif kind == 'globalAvgPool':
                module, shape = GlobalAvgPool(), [channels]
            elif kind in ('lstm', 'gru'):
                units = layer['units']
                module = (Lstm if kind == 'lstm' else Gru)(channels, units)
                width = (4 if kind == 'lstm' else 3) * units
                with torch.no_grad():
                    module.cell.weight_ih_l0.copy_(self.drawn([width, channels], channels))
                    module.cell.weight_hh_l0.copy_(self.drawn([width, units], units))
                    module.cell.bias_ih_l0.zero_()
                    module.cell.bias_hh_l0.zero_()
                shape = [shape[0], units] if kind == 'lstm' else [units]
            elif kind == 'embedding':
                module = nn.Embedding(layer['rows'], layer['dim'])
                with torch.no_grad():
                    module.weight.copy_(self.drawn([layer['rows'], layer['dim']], layer['dim']))
                shape = [shape[0], layer['dim']]
            elif kind == 'positions':
                module = Positions(self.drawn(shape, channels))
            elif kind == 'transformer':
                module = self.transformer(channels, layer['heads'])
            elif kind == 'flatten':
                module = nn.Flatten()
                image = shape if len(shape) == 3 else None
                shape = [int(np.prod(shape))]
            else:
                norm = nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d
                module = {'relu': nn.ReLU, 'relu6': nn.ReLU6, 'tanh': nn.Tanh, 'batchNorm': lambda: norm(channels)}[kind]()
            self.stack.append(module)

    def transformer(self, features, heads):
        block = Transformer(features, heads)
        drawn = [self.drawn([features, features], features) for _ in range(4)]
        with torch.no_grad():
            block.attention.in_proj_weight.copy_(torch.cat(drawn[:3]))
            block.attention.in_proj_bias.zero_()
        self.set(block.attention.out_proj, drawn[3])
        self.set(block.wide, self.drawn([4 * features, features], features))
        self.set(block.narrow, self.drawn([features, 4 * features], 4 * features))
        return block

    def drawn(self, shape, fan_in):
        values = np.sqrt(6 / fan_in) * (2 * uniform(int(np.prod(shape)), self.stream) - 1)
        self.stream += 1
        return torch.from_numpy(values.astype(np.float32).reshape(shape))

    @staticmethod
    def set(module, weight):
        with torch.no_grad():
            module.weight.copy_(weight)
            if module.bias is not None:
                module.bias.zero_()

    def forward(self, x):
        for module in self.stack:
            x = module(x)
        return x


def data():
    samples, size = workload['samples'], int(np.prod(workload['input']))
    values = uniform(samples * size, 1)
    labels = np.floor(workload['classes'] * uniform(samples * workload['targets'], 2)).astype(np.int64)
    labels = torch.from_numpy(labels.reshape(samples, workload['targets']))
    first = workload['layers'][0]
    if first['kind'] == 'embedding':
        return torch.from_numpy(np.floor(first['rows'] * values).astype(np.int64)).reshape(samples, size), labels
    x = torch.from_numpy(values.astype(np.float32)).reshape(samples, *workload['input'])
    if first['kind'] == 'conv1d':
        return x.transpose(1, 2).contiguous(), labels
    return (x.permute(0, 3, 1, 2).contiguous(memory_format=image_format()) if x.dim() == 4 else x), labels


def image_format():
    """Channels last where there are depthwise convolutions: such a step took 20% less time."""
    kinds = {layer['kind'] for layer in workload['layers']}
    return torch.channels_last if 'depthwise' in kinds else torch.contiguous_format


def optimizer_of(model):
    rule = workload['optimizer']
    if rule['kind'] == 'sgd':
        return torch.optim.SGD(model.parameters(), lr=rule['lr'])
    return torch.optim.Adam(model.parameters(), lr=rule['lr'], betas=rule['betas'], eps=rule['eps'])


def train_step(model, optimizer, x, y):
    optimizer.zero_grad(set_to_none=True)
    loss = nn.functional.cross_entropy(model(x).reshape(-1, workload['classes']), y.reshape(-1))
    loss.backward()
    optimizer.step()
    return loss.item()


def create_step():
    model = Model().to(memory_format=image_format())
    optimizer = optimizer_of(model)
    x, y = data()
    size = workload['batch']
    batches = [(x[at : at + size], y[at : at + size]) for at in range(0, len(x) - size + 1, size)]
    turn = -1

    def step():
        nonlocal turn
        turn += 1
        return train_step(model, optimizer, *batches[turn % len(batches)])

    return step


def create_fit():
    x, y = data()
    size = workload['batch']

    def fit():
        model = Model()
        optimizer = optimizer_of(model)
        for _ in range(workload['epochs']):
            order = torch.randperm(len(x))
            total = 0.0
            for at in range(0, len(x), size):
                chosen = order[at : at + size]
                total += len(chosen) * train_step(model, optimizer, x[chosen], y[chosen])
        return total / len(x)

    return fit


def create_product():
    m, n, k, form = workload['m'], workload['n'], workload['k'], workload['form']

    def drawn(rows, cols, stream, turned):
        values = torch.from_numpy((uniform(rows * cols, stream) - 0.5).astype(np.float32))
        return values.reshape(cols, rows).t() if turned else values.reshape(rows, cols)

    a, b = drawn(m, k, 1, form == 'TN'), drawn(k, n, 2, form == 'NT')
    return lambda: torch.mm(a, b)[0, 0].item()


def sample(run, milliseconds):
    start, cpu = time.perf_counter_ns(), time.process_time_ns()
    calls = elapsed = 0
    while elapsed < milliseconds * 1e6:
        run()
        calls += 1
        elapsed = time.perf_counter_ns() - start
    return {'calls': calls, 'ns': elapsed, 'cpu': time.process_time_ns() - cpu}


def peak_memory():
    """The peak of this process alone: getrusage counts what the parent had before exec."""
    try:
        with open('/proc/self/status') as status:
            return 1024 * int(re.search(r'VmHWM:\s*(\d+)', status.read()).group(1))
    except OSError:
        return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def mapped_libraries():
    """The shared libraries of this process, after links were followed; None where the system does not tell."""
    try:
        with open('/proc/self/maps') as maps:
            paths = {line.split(maxsplit=5)[5].strip() for line in maps if '.so' in line}
    except OSError:
        return None
    return sorted(os.path.realpath(path) for path in paths)


def openblas(path):
    """What an OpenBLAS says about itself: version, the kernels chosen for this CPU, threads."""
    library = ctypes.CDLL(path)
    library.openblas_get_config.restype = ctypes.c_char_p
    library.openblas_get_corename.restype = ctypes.c_char_p
    version = re.search(r'OpenBLAS ([\w.]+)', library.openblas_get_config().decode())
    name = f"OpenBLAS {version.group(1) if version else 'of unknown version'}"
    threads = library.openblas_get_num_threads()
    return {'name': f'{name}, {library.openblas_get_corename().decode()}', 'path': path, 'threads': threads}


class Unsupported(Exception):
    pass


def blas():
    """The BLAS that this process multiplies with: {name, path, threads}. Raises Unsupported for the reference one."""
    torch.mm(torch.ones(64, 64), torch.ones(64, 64))
    built = re.search(r'BLAS_INFO=(\w+)', torch.__config__.show()).group(1)
    libraries = mapped_libraries()
    if libraries is None:
        return {'name': f'{built} (its library is not told here)', 'path': None, 'threads': 1}
    names = {path: os.path.basename(path).lower() for path in libraries}
    for path, name in names.items():
        if re.match(r'libblas\.so', name) and not re.search('openblas|mkl|blis|atlas', path.lower()):
            raise Unsupported(f'PyTorch would run on the reference BLAS ({path}): install the package libopenblas0-pthread')
    for path, name in names.items():
        if 'openblas' in name:
            return openblas(path)
    for path, name in names.items():
        if re.search(r'mkl|blis|atlas|armpl', name) and 'mkldnn' not in name:
            return {'name': name, 'path': path, 'threads': 1}
    # Linked into PyTorch itself, as in the packages of pip.
    return {'name': built, 'path': None, 'threads': 1}


def say(message):
    print(json.dumps(message), flush=True)


try:
    library = blas()
    if library['threads'] != 1:
        raise Unsupported(f"{library['name']} uses {library['threads']} threads: set OPENBLAS_NUM_THREADS=1")
except Unsupported as reason:
    say({'error': str(reason)})
    sys.exit()
run = {'step': create_step, 'fit': create_fit, 'gemm': create_product}[workload['kind']]()
say({'ready': True, 'version': f"{torch.__version__} with {library['name']}", 'blas': library})
for line in sys.stdin:
    request, _, number = line.strip().partition(' ')
    if request == 'losses':
        answer = [run() for _ in range(int(number))]
    elif request == 'sample':
        answer = sample(run, float(number))
    else:
        answer = peak_memory()
    say(answer)
