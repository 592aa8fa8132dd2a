"""Writes golden values for multi-head attention, from torch.nn.MultiheadAttention in float64:
outputs and gradients for a given gradient of the output.

    /usr/bin/python3 scripts/make-attention-golden.py > tests/data/golden-nn-attention.json

Needs Debian's python3-torch; the file was written with 1.13.0. All numbers in the data are
multiples of 1/64, so float32 holds them exactly. Parameters and inputs have this project's names:
in_proj_weight holds queryWeight, keyWeight and valueWeight one below the other, out_proj.weight is
outputWeight. PyTorch's key_padding_mask is true where this project's mask is 0.
"""
import json
import random

import torch

torch.set_default_dtype(torch.float64)
random.seed(20261130)


def numbers(*shape):
    count = 1
    for size in shape:
        count *= size
    values = [round(random.uniform(-1, 1) * 64) / 64 for _ in range(count)]
    return torch.tensor(values).reshape(shape)


def flat(tensor):
    return [float(f"{value:.12g}") for value in tensor.detach().reshape(-1).tolist()]


def parameters_of(layer, features):
    """Pairs of this project's names and PyTorch's tensors, or parts of them."""
    if layer.in_proj_weight is not None:
        weights = layer.in_proj_weight.split(features)
        gradients = layer.in_proj_weight.grad
        gradients = gradients.split(features) if gradients is not None else [None] * 3
    else:
        tensors = [layer.q_proj_weight, layer.k_proj_weight, layer.v_proj_weight]
        weights, gradients = tensors, [tensor.grad for tensor in tensors]
    biases = layer.in_proj_bias
    for place, role in enumerate(["query", "key", "value"]):
        yield f"{role}Weight", weights[place], gradients[place]
        if biases is not None:
            rows = slice(place * features, (place + 1) * features)
            grad = biases.grad[rows] if biases.grad is not None else None
            yield f"{role}Bias", biases[rows], grad
    yield "outputWeight", layer.out_proj.weight, layer.out_proj.weight.grad
    if biases is not None:
        yield "outputBias", layer.out_proj.bias, layer.out_proj.bias.grad


def case(name, shapes, heads, causal=False, bias=True, mask=None, batch=3):
    """shapes: [steps, features] of query, value and key, as many as there are inputs."""
    query, value = shapes[0], shapes[min(1, len(shapes) - 1)]
    key = shapes[2] if len(shapes) == 3 else value
    layer = torch.nn.MultiheadAttention(
        query[1], heads, bias=bias, kdim=key[1], vdim=value[1], batch_first=True)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(numbers(*parameter.shape))
    inputs = [numbers(batch, *shape).requires_grad_(True) for shape in shapes]
    v = inputs[min(1, len(inputs) - 1)]
    k = inputs[2] if len(inputs) == 3 else v
    later = torch.ones(query[0], value[0]).triu(1).bool() if causal else None
    padding, data = None, []
    if mask == "mask":
        open_ = torch.tensor([[float((i * j + i + j) % 3 != 1) for j in range(value[0])]
                              for i in range(batch)])
        open_[:, 0] = 1.0
        padding, data = open_ == 0, [open_]
    if mask == "length":
        lengths = torch.tensor([[1.0 + (2 * i + 1) % value[0]] for i in range(batch)])
        padding, data = torch.arange(value[0])[None, :] >= lengths, [lengths]
    output, _ = layer(inputs[0], k, v, attn_mask=later, key_padding_mask=padding)
    gradient = numbers(*output.shape)
    output.backward(gradient)
    options = {"heads": heads, "causal": causal, "useBias": bias, "paddingMask": mask is not None}
    if mask is not None:
        shapes = [*shapes, [1 if mask == "length" else value[0]]]
    return {
        "name": name, "options": options, "shapes": shapes, "batchSize": batch,
        "inputs": [flat(x) for x in [*inputs, *data]],
        "parameters": {key: flat(tensor) for key, tensor, _ in parameters_of(layer, query[1])},
        "output": flat(output), "outputGradient": flat(gradient),
        "gradients": {key: flat(grad) for key, _, grad in parameters_of(layer, query[1])},
        "inputGradients": [flat(x.grad) for x in inputs],
    }


CASES = [
    case("self-attention", [[5, 6]], 2),
    case("causal, without biases", [[7, 4]], 4, causal=True, bias=False),
    case("query and value", [[4, 6], [5, 3]], 3),
    case("query, value and key", [[5, 4], [3, 5], [3, 2]], 1, causal=True),
    case("a padding mask", [[4, 4], [6, 4]], 2, mask="mask"),
    case("causal, with lengths", [[6, 6]], 3, causal=True, mask="length"),
]
print("[\n" + ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in CASES) + "\n]")
