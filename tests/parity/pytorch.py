"""
The twins in PyTorch: python3 pytorch.py <file of cases as JSON>. Prints a line of JSON per case,
{"name": …, "runs": [{"losses": […], "evaluations": […]}]}, or with "error" or
"skipped" where there are no runs.

Values keep the channels last, as in adal-wasm; layers that want them first get a view. Start
weights come in PyTorch's layout (weights.js).
"""
import json
import math
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import rnn

torch.set_num_threads(1)


def tensor(array):
    return torch.tensor(array['data'], dtype=torch.float32).reshape(array['shape'])


def pair(value, size=2):
    return list(value) if isinstance(value, list) else [value] * size


class Of(nn.Module):
    """A function of values, without parameters."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *values):
        return self.function(*values)


class Windows(nn.Module):
    """A convolution or pooling over the axes between the first and the last."""

    def __init__(self, inner, axes, options, padding, fill=0.0):
        super().__init__()
        self.inner, self.fill = inner, fill
        size = options.get('kernelSize', options.get('size'))
        dilation = pair(options.get('dilation', 1), axes)
        self.spans = [d * (k - 1) + 1 for k, d in zip(pair(size, axes), dilation)]
        self.strides = pair(options.get('stride', 1), axes)
        self.padding = padding

    def around(self, sizes):
        """Zeros before and after each axis."""
        if self.padding == 'causal':
            return [(span - 1, 0) for span in self.spans]
        if self.padding != 'same':
            return [(p, p) for p in pair(self.padding, len(sizes))]
        missing = [
            max(0, (math.ceil(n / stride) - 1) * stride + span - n)
            for n, stride, span in zip(sizes, self.strides, self.spans)
        ]
        return [(m // 2, m - m // 2) for m in missing]

    def forward(self, x):
        x = x.movedim(-1, 1)
        around = self.around(list(x.shape[2:]))
        x = F.pad(x, [n for sides in reversed(around) for n in sides], value=self.fill)
        return self.inner(x).movedim(1, -1)


def conv2d(layer, weights, groups=None):
    out, each, *size = weights['weight']['shape']
    groups = out if groups is None else groups
    options = dict(stride=pair(layer.get('stride', 1)), dilation=pair(layer.get('dilation', 1)))
    return nn.Conv2d(each * groups, out, size, groups=groups, bias='bias' in weights, **options)


def depthwise(layer, weights):
    channels = weights['weight']['shape'][0] // layer.get('depthMultiplier', 1)
    return conv2d(layer, weights, channels) if channels else None


class Separable(nn.Module):
    def __init__(self, layer, weights):
        super().__init__()
        self.depthwise = depthwise(layer, {'weight': weights['depthwise.weight']})
        point = {key[10:]: value for key, value in weights.items() if key.startswith('pointwise')}
        self.pointwise = conv2d({}, point, 1)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


def conv1d(layer, weights):
    out, channels, size = weights['weight']['shape']
    options = dict(stride=layer.get('stride', 1), dilation=layer.get('dilation', 1))
    return nn.Conv1d(channels, out, size, bias='bias' in weights, **options)


class Transposed(nn.Module):
    def __init__(self, layer, weights):
        super().__init__()
        channels, out, *size = weights['weight']['shape']
        self.stride, self.same = pair(layer.get('stride', 1)), layer.get('padding', 0) == 'same'
        padding = [0, 0] if self.same else pair(layer.get('padding', 0))
        self.inner = nn.ConvTranspose2d(
            channels, out, size, self.stride, padding,
            output_padding=pair(layer.get('outputPadding', 0)),
            bias='bias' in weights, dilation=pair(layer.get('dilation', 1)),
        )

    def load_state_dict(self, weights, strict=True):
        return self.inner.load_state_dict(weights, strict)

    def forward(self, x):
        y = self.inner(x.movedim(-1, 1))
        if self.same:
            for axis, stride in enumerate(self.stride):
                whole, wanted = y.shape[2 + axis], x.shape[1 + axis] * stride
                # TensorFlow cuts what the convolution would have padded.
                y = y.narrow(2 + axis, max(0, whole - wanted) // 2, wanted)
        return y.movedim(1, -1)


def batch_norm(layer, weights):
    channels, = weights['weight']['shape']
    norm = nn.BatchNorm1d(channels, layer.get('eps', 1e-5), layer.get('momentum', 0.1))
    norm.plain_forward = norm.forward
    norm.forward = lambda x: norm.plain_forward(x.reshape(-1, x.shape[-1])).reshape(x.shape)
    return norm


class Positions(nn.Module):
    def __init__(self, layer, weights):
        super().__init__()
        self.learnt = 'weight' in weights
        if self.learnt:
            self.weight = nn.Parameter(torch.zeros(weights['weight']['shape']))

    def forward(self, x):
        steps, features = x.shape[1:]
        if self.learnt:
            return x + self.weight[:steps]
        angles = np.arange(steps)[:, None] / 10000 ** (np.arange(0, features, 2) / features)
        values = np.zeros((steps, features))
        values[:, 0::2] = np.sin(angles)
        values[:, 1::2] = np.cos(angles[:, : features // 2])
        return x + torch.from_numpy(values.astype(np.float32))


class Recurrent(nn.Module):
    def __init__(self, layer, weights, merge=None):
        super().__init__()
        self.layer, self.merge = layer, merge
        features = weights['weight_ih_l0']['shape'][1]
        units = layer['units']
        if 'recurrentActivation' in layer or layer.get('resetAfter') is False:
            raise ValueError('PyTorch has no such gates')
        options = dict(bias='bias_ih_l0' in weights, bidirectional=merge is not None)
        if layer['kind'] == 'simpleRnn':
            options['nonlinearity'] = layer.get('activation', 'tanh')
        of = {'lstm': nn.LSTM, 'gru': nn.GRU, 'simpleRnn': nn.RNN}[layer['kind']]
        self.inner = of(features, units, batch_first=True, **options)
        if layer['kind'] != 'gru':
            # PyTorch adds two biases; with both in training their sum would move twice as fast.
            for name, parameter in self.inner.named_parameters():
                parameter.requires_grad_(not name.startswith('bias_hh'))

    def load_state_dict(self, weights, strict=True):
        return self.inner.load_state_dict(weights, strict)

    def merged(self, value):
        if self.merge in (None, 'concat'):
            return value
        a, b = value.chunk(2, -1)
        return {'sum': a + b, 'average': (a + b) / 2, 'multiply': a * b}[self.merge]

    def forward(self, x, *more):
        layer, more = self.layer, list(more)
        units, is_lstm = layer['units'], layer['kind'] == 'lstm'
        lengths = more.pop().reshape(-1).long() if layer.get('lengths') else None
        if layer.get('goBackwards'):
            x = x.flip(1)
        state = None
        if layer.get('initialState'):
            given = more.pop().unsqueeze(0)
            parts = [part.contiguous() for part in given.split(units, -1)]
            state = tuple(parts) if is_lstm else parts[0]
        steps = x.shape[1]
        if lengths is not None:
            x = rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        y, end = self.inner(x, state)
        if lengths is not None:
            y, _ = rnn.pad_packed_sequence(y, batch_first=True, total_length=steps)
        if layer.get('goBackwards'):
            y = y.flip(1)
        last = end[0] if is_lstm else end
        joined = self.merged(torch.cat(list(last), -1))
        states = [last[0], end[1][0]] if is_lstm else [last[0]]
        if layer.get('returnSequences'):
            rows = [each.unsqueeze(1) for each in states] if layer.get('returnState') else []
            return torch.cat([self.merged(y), *rows], 1)
        return torch.cat(states, -1) if layer.get('returnState') else joined


class Attention(nn.Module):
    def __init__(self, layer, weights):
        super().__init__()
        self.layer = layer
        features = weights['in_proj_weight']['shape'][1]
        options = dict(bias='in_proj_bias' in weights, batch_first=True)
        dropout = layer.get('dropout', 0)
        self.inner = nn.MultiheadAttention(features, layer['heads'], dropout, **options)

    def load_state_dict(self, weights, strict=True):
        return self.inner.load_state_dict(weights, strict)

    def forward(self, query, *more):
        more, padding, later = list(more), None, None
        if self.layer.get('paddingMask'):
            padding = more.pop()
        value = more[0] if more else query
        key = more[1] if len(more) > 1 else value
        if padding is not None:
            # A mask of the keys, or their number.
            steps = torch.arange(key.shape[1])
            padding = padding == 0 if padding.shape[1] > 1 else steps >= padding
        if self.layer.get('causal'):
            later = torch.ones(query.shape[1], key.shape[1]).triu(1).bool()
        masks = dict(key_padding_mask=padding, attn_mask=later)
        return self.inner(query, key, value, need_weights=False, **masks)[0]


def strides(layer):
    return layer.get('stride', layer['size'])


def pool(axes, of, layer, fill=0.0):
    inner = of(pair(layer['size'], axes), pair(strides(layer), axes))
    return Windows(inner, axes, {**layer, 'stride': strides(layer)}, layer.get('padding', 0), fill)


def average_pool(axes):
    def make(layer, _):
        windows = pool(axes, nn.AvgPool2d if axes == 2 else nn.AvgPool1d, layer)
        # Divided by the share of each window that is no padding: PyTorch would not count its own.
        return Of(lambda x: windows(x) / windows(torch.ones_like(x)))
    return make


def max_pool(axes):
    of = nn.MaxPool2d if axes == 2 else nn.MaxPool1d
    return lambda layer, _: pool(axes, of, layer, -math.inf)


def maxout(layer, weights):
    linear = linear_of(layer, weights)
    linear.plain_forward = linear.forward
    pieces = (layer['units'], layer['pieces'])
    linear.forward = lambda x: linear.plain_forward(x).unflatten(-1, pieces).amax(-1)
    return linear


def linear_of(_, weights):
    out, features = weights['weight']['shape']
    return nn.Linear(features, out, bias='bias' in weights)


def upsampling(layer, _):
    mode = layer.get('interpolation', 'nearest')
    options = {'align_corners': False} if mode == 'bilinear' else {}
    size = layer.get('size', 2)
    factor = [float(n) for n in (pair(size) if layer['kind'] == 'upSampling2d' else [size])]
    inner = nn.Upsample(scale_factor=tuple(factor), mode=mode, **options)
    return Windows(inner, len(factor), {'size': 1}, 0)


def windows(of, axes):
    """Puts a module that wants channels first among values that have them last."""
    def make(layer, weights):
        made = Windows(of(layer, weights), axes, layer, layer.get('padding', 0))
        made.load_state_dict = made.inner.load_state_dict
        return made
    return make


def embedding(layer, weights):
    table = nn.Embedding(*weights['weight']['shape'], padding_idx=layer.get('paddingIndex'))
    table.plain_forward = table.forward
    table.forward = lambda x: table.plain_forward(x.long())
    return table


def positions_last(x):
    return x.flatten(1, -2).movedim(-1, 1)


def plain(function):
    """A layer without parameters, of tensor operations where PyTorch has no module."""
    return lambda layer, _: Of(lambda *values: function(layer, *values))


KINDS = {
    'dense': linear_of,
    'maxout': maxout,
    'conv2d': windows(lambda layer, w: conv2d(layer, w, 1), 2),
    'conv1d': windows(conv1d, 1),
    'depthwiseConv2d': windows(depthwise, 2),
    'separableConv2d': windows(Separable, 2),
    'conv2dTranspose': Transposed,
    'maxPool2d': max_pool(2),
    'maxPool1d': max_pool(1),
    'avgPool2d': average_pool(2),
    'avgPool1d': average_pool(1),
    'globalAvgPool': plain(lambda _, x: x.flatten(1, -2).mean(1)),
    'globalMaxPool': plain(lambda _, x: F.adaptive_max_pool1d(positions_last(x), 1).squeeze(-1)),
    'embedding': embedding,
    'positionEmbedding': Positions,
    'multiHeadAttention': Attention,
    'upSampling2d': upsampling,
    'upSampling1d': upsampling,
    'slice': plain(lambda layer, x: x[:, layer['begin'] : layer.get('end')]),
    'lstm': Recurrent,
    'gru': Recurrent,
    'simpleRnn': Recurrent,
    'bidirectional': lambda layer, w: Recurrent(layer['layer'], w, layer.get('merge', 'concat')),
    'flatten': plain(lambda _, x: x.flatten(1)),
    'reshape': plain(lambda layer, x: x.reshape(x.shape[0], *layer['shape'])),
    'repeatVector': plain(lambda layer, x: x.unsqueeze(1).repeat(1, layer['times'], 1)),
    'batchNorm': batch_norm,
    'layerNorm': lambda layer, w: nn.LayerNorm(w['weight']['shape'], layer.get('eps', 1e-5)),
    'dropout': lambda layer, _: nn.Dropout(layer['rate']),
    'relu': lambda *_: nn.ReLU(),
    'leakyRelu': lambda layer, _: nn.LeakyReLU(layer.get('slope', 0.01)),
    'tanh': lambda *_: nn.Tanh(),
    'sigmoid': lambda *_: nn.Sigmoid(),
    'silu': lambda *_: nn.SiLU(),
    'elu': lambda layer, _: nn.ELU(layer.get('alpha', 1)),
    'relu6': lambda *_: nn.ReLU6(),
    'gelu': lambda layer, _: nn.GELU(approximate=layer.get('approximate', 'none')),
    'softmax': lambda *_: nn.Softmax(-1),
    'add': plain(lambda _, *values: sum(values[1:], values[0])),
    'average': plain(lambda _, *values: torch.stack(values).mean(0)),
    'multiply': plain(lambda _, *values: math.prod(values[1:], start=values[0])),
    'concat': plain(lambda _, *values: torch.cat(values, -1)),
}


class Model(nn.Module):
    def __init__(self, case):
        super().__init__()
        self.case, self.stack, self.owners = case, nn.ModuleList(), {}
        for node in case['nodes']:
            if node['owner'] != node['name']:
                continue
            weights = case['weights'].get(node['name'], {})
            module = KINDS[node['layer']['kind']](node['layer'], weights)
            arrays = {name: tensor(array) for name, array in weights.items()}
            # Batch norm also counts its batches.
            module.load_state_dict(arrays, strict=not hasattr(module, 'running_mean'))
            self.owners[node['name']] = len(self.stack)
            self.stack.append(module)

    def forward(self, inputs):
        values = dict(inputs)
        for node in self.case['nodes']:
            module = self.stack[self.owners[node['owner']]]
            values[node['name']] = module(*[values[name] for name in node['inputs']])
        return {name: values[node] for name, node in self.case['outputs'].items()}


def mean_loss(loss, output, targets, weights):
    """The loss of a batch; weights are of samples."""
    kind = loss['kind']
    if kind in ('crossEntropy', 'categoricalCrossEntropy'):
        classes = output.shape[-1]
        scale = loss.get('classWeights')
        options = dict(
            weight=None if scale is None else torch.tensor(scale),
            label_smoothing=loss.get('labelSmoothing', 0.0),
        )
        logits = output.reshape(-1, classes)
        if kind == 'crossEntropy':
            targets = targets.long().reshape(-1)
            options['ignore_index'] = loss.get('ignoreLabel', -100)
        else:
            targets = targets.reshape(-1, classes)
        if loss.get('reduction') == 'weighted-mean' and weights is None:
            return F.cross_entropy(logits, targets, **options)
        each = F.cross_entropy(logits, targets, reduction='none', **options)
        count = len(each) if kind != 'crossEntropy' else (targets != options['ignore_index']).sum()
        if weights is not None:
            each = each * weights.repeat_interleave(len(each) // len(weights))
        return each.sum() / count
    if kind == 'binaryCrossEntropy':
        scale = loss.get('posWeight')
        scale = None if scale is None else torch.tensor(scale)
        options = dict(pos_weight=scale, reduction='none')
        each = F.binary_cross_entropy_with_logits(output, targets, **options)
    elif kind == 'huber':
        each = F.huber_loss(output, targets, delta=loss.get('delta', 1.0), reduction='none')
    else:
        of = {'meanSquaredError': F.mse_loss, 'meanAbsoluteError': F.l1_loss}[kind]
        each = of(output, targets, reduction='none')
    if weights is not None:
        each = each * weights.reshape(-1, *[1] * (each.dim() - 1))
    return each.mean()


def optimizer_of(case, parameters):
    name, options = case['optimizer']
    options = dict(options)
    for key in ('clipGradNorm', 'clipGradValue'):
        options.pop(key, None)
    names = {
        'l2': 'weight_decay', 'weightDecay': 'weight_decay', 'momentumDecay': 'momentum_decay',
        'lrDecay': 'lr_decay', 'initialAccumulator': 'initial_accumulator_value',
    }
    of = {
        'sgd': torch.optim.SGD, 'adam': torch.optim.Adam, 'adamw': torch.optim.AdamW,
        'amsgrad': lambda p, **o: torch.optim.Adam(p, amsgrad=True, **o),
        'nadam': torch.optim.NAdam, 'radam': torch.optim.RAdam,
        'adagrad': torch.optim.Adagrad, 'rmsprop': torch.optim.RMSprop,
        'adadelta': torch.optim.Adadelta, 'adamax': torch.optim.Adamax,
    }[name]
    return of(parameters, **{names.get(key, key): value for key, value in options.items()})


def penalty_of(case, model):
    total = 0.0
    for penalty in case['penalties']:
        for node, parameter in penalty['parameters']:
            values = getattr(model.stack[model.owners[node]], parameter)
            total = total + penalty.get('l1', 0) * values.abs().sum()
            total = total + penalty.get('l2', 0) * values.square().sum()
    return total


def total_loss(case, model, batch):
    inputs = {name: tensor(array) for name, array in batch['inputs'].items()}
    weights = batch.get('sampleWeights')
    weights = None if weights is None else torch.tensor(weights)
    outputs = model(inputs)
    total = penalty_of(case, model)
    for name, loss in case['losses'].items():
        own = mean_loss(loss, outputs[name], tensor(batch['targets'][name]), weights)
        total = total + case['lossWeights'].get(name, 1) * own
    return total


def train(case, seed=0):
    torch.manual_seed(seed)
    model = Model(case)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = optimizer_of(case, parameters)
    options = case['optimizer'][1]
    losses = []
    for step in range(case['steps']):
        optimizer.zero_grad(set_to_none=True)
        loss = total_loss(case, model, case['batches'][step % len(case['batches'])])
        loss.backward()
        if 'clipGradNorm' in options:
            nn.utils.clip_grad_norm_(parameters, options['clipGradNorm'])
        if 'clipGradValue' in options:
            nn.utils.clip_grad_value_(parameters, options['clipGradValue'])
        optimizer.step()
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise ArithmeticError(f'the loss of step {step} is {losses[-1]}')
    model.eval()
    with torch.no_grad():
        evaluations = [total_loss(case, model, batch).item() for batch in case['batches']]
    return {'losses': losses, 'evaluations': evaluations}


def run(case):
    since, version = case.get('since', 0), int(torch.__version__.split('.')[0])
    if version < since:
        return {'skipped': f'PyTorch before {since} computes it differently'}
    try:
        return {'runs': [train(case, seed) for seed in range(1, case.get('seeds', 1) + 1)]}
    except Exception as error:
        return {'error': f'{type(error).__name__}: {error}'}


def say(message):
    print(json.dumps(message), flush=True)


with open(sys.argv[1]) as file:
    cases = json.load(file)
for case in cases:
    say({'name': case['name'], **run(case)})
