"""Writes golden values of the recurrent layers, from PyTorch in float64: outputs, final states, and
gradients by parameters, inputs and initial states of L = Σ sin(i + 1)·output[i].

    /usr/bin/python3 scripts/make-recurrent-golden.py > tests/data/golden-nn-recurrent.json

Needs Debian's python3-torch; the file was written with 1.13.0. All numbers in the data are
multiples of 1/64, so float32 holds them exactly. Parameters are in this project's order, which is
PyTorch's. Where the layer has one bias and PyTorch two, PyTorch's second bias is 0.
The reset gate before the product, which PyTorch lacks, is computed from its formula.
"""
import json
import random

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.set_default_dtype(torch.float64)
random.seed(20260301)
MODULES = {"lstm": (torch.nn.LSTM, 4, 2), "gru": (torch.nn.GRU, 3, 1),
           "simpleRnn": (torch.nn.RNN, 1, 1)}


def numbers(*shape):
    count = 1
    for size in shape:
        count *= size
    values = [round(random.uniform(-1, 1) * 64) / 64 for _ in range(count)]
    return torch.tensor(values).reshape(shape)


def flat(tensor):
    return [float(f"{value:.12g}") for value in tensor.detach().reshape(-1).tolist()]


def gru_before(x, state, weights):
    """A GRU whose reset gate multiplies before the recurrent product."""
    w, u, b = weights
    units = u.shape[1]
    h, outputs = state, []
    for t in range(x.shape[1]):
        sums = x[:, t] @ w.T + b
        product = h @ u[: 2 * units].T
        r = torch.sigmoid(sums[:, :units] + product[:, :units])
        z = torch.sigmoid(sums[:, units: 2 * units] + product[:, units:])
        n = torch.tanh(sums[:, 2 * units:] + (r * h) @ u[2 * units:].T)
        h = (1 - z) * n + z * h
        outputs.append(h)
    return torch.stack(outputs, 1), h


def case(name, kind, units, features, steps, batch, options=None, bidirectional=False):
    options = options or {}
    module_of, gates, states = MODULES[kind]
    x = numbers(batch, steps, features).requires_grad_(True)
    state = numbers(batch, states * units).requires_grad_(True)
    has_bias = options.get("useBias", True)
    reset_after = kind == "gru" and options.get("resetAfter", True)
    both = kind == "gru" and reset_after and has_bias
    directions = ["forward", "backward"] if bidirectional else [""]
    parameters = {}
    for direction in directions:
        prefix = f"{direction}." if direction else ""
        parameters[f"{prefix}inputWeight"] = numbers(gates * units, features)
        parameters[f"{prefix}recurrentWeight"] = numbers(gates * units, units)
        if has_bias:
            parameters[f"{prefix}bias"] = numbers(gates * units)
        if both:
            parameters[f"{prefix}recurrentBias"] = numbers(gates * units)
    for parameter in parameters.values():
        parameter.requires_grad_(True)
    names = {}
    backwards = options.get("goBackwards", False)
    lengths = None
    if options.get("lengths"):
        lengths = torch.tensor([1 + (3 * i + 2) % steps for i in range(batch)])

    if kind == "gru" and not reset_after:
        y, final = gru_before(x, state, list(parameters.values()))
        end = final
    else:
        extra = {"nonlinearity": options.get("activation", "tanh")} if kind == "simpleRnn" else {}
        module = module_of(features, units, batch_first=True, bias=has_bias,
                           bidirectional=bidirectional or backwards, **extra)
        flattened = {}
        for index, direction in enumerate(["", "_reverse"]):
            if not (bidirectional or backwards) and index:
                continue
            if bidirectional:
                prefix = f"{directions[index]}."
            else:
                prefix = ""
            of = lambda key: parameters[f"{prefix}{key}"]
            flattened[f"weight_ih_l0{direction}"] = of("inputWeight")
            flattened[f"weight_hh_l0{direction}"] = of("recurrentWeight")
            if has_bias:
                flattened[f"bias_ih_l0{direction}"] = of("bias")
                zero = torch.zeros(gates * units)
                flattened[f"bias_hh_l0{direction}"] = of("recurrentBias") if both else zero
        parts = [state[:, i * units: (i + 1) * units].unsqueeze(0) for i in range(states)]
        if bidirectional:
            initial = [torch.zeros(2, batch, units) for _ in parts]
        elif backwards:
            initial = [torch.cat([part, part]) for part in parts]
        else:
            initial = parts
        initial = tuple(initial) if states == 2 else initial[0]
        packed = x if lengths is None else pack_padded_sequence(
            x, lengths, batch_first=True, enforce_sorted=False)
        with torch.no_grad():
            for key, value in flattened.items():
                module.get_parameter(key).copy_(value)
                names[id(value)] = key
        y, final = module(packed, initial)
        if lengths is not None:
            y, _ = pad_packed_sequence(y, batch_first=True, total_length=steps)
        final = final if states == 2 else (final,)
        if backwards:
            y, final = y[:, :, units:], [part[1:] for part in final]
        end = torch.cat([part.transpose(0, 1).reshape(batch, -1) for part in final], 1)
    if bidirectional:
        output = y if options.get("returnSequences") else end[:, : 2 * units]
    else:
        output = torch.cat([y.reshape(batch, -1), end], 1)
    slope = torch.sin(torch.arange(1, output.numel() + 1).to(torch.float64)).reshape(output.shape)
    (output * slope).sum().backward()
    for key, value in parameters.items():
        if value.grad is None:
            value.grad = module.get_parameter(names[id(value)]).grad
    result = {
        "name": name, "kind": kind, "units": units, "options": options,
        "bidirectional": bidirectional, "shape": [steps, features], "batchSize": batch,
        "x": flat(x), "lengths": None if lengths is None else lengths.tolist(),
        "parameters": {key: flat(value) for key, value in parameters.items()},
        "output": flat(output), "dx": flat(x.grad),
        "gradients": {key: flat(value.grad) for key, value in parameters.items()},
    }
    if not bidirectional:
        result["state"] = flat(state)
        result["dstate"] = flat(state.grad)
    return result


CASES = []
for kind in MODULES:
    CASES += [
        case(kind, kind, 5, 3, 4, 3),
        case(f"{kind}, without biases", kind, 4, 2, 3, 2, {"useBias": False}),
        case(f"{kind}, backwards", kind, 3, 2, 4, 2, {"goBackwards": True}),
        case(f"{kind}, lengths", kind, 4, 3, 5, 4, {"lengths": True}),
        case(f"{kind}, lengths, backwards", kind, 3, 3, 4, 3,
             {"lengths": True, "goBackwards": True}),
        case(f"{kind}, both directions", kind, 3, 4, 3, 2, {"returnSequences": True}, True),
        case(f"{kind}, both directions, ends, lengths", kind, 3, 4, 4, 3, {"lengths": True}, True),
    ]
CASES += [
    case("gru, reset before the product", "gru", 5, 3, 4, 3, {"resetAfter": False}),
    case("simpleRnn, relu", "simpleRnn", 5, 3, 4, 3, {"activation": "relu"}),
]
print("[\n" + ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in CASES) + "\n]")
