"""Writes golden values for src/nn/losses, from PyTorch in float64: outputs, loss and gradients of
one dense layer.

    /usr/bin/python3 scripts/make-loss-golden.py > tests/data/golden-nn-losses.json

Needs Debian's python3-torch; the file was written with 1.13.0. All numbers in the data are
multiples of 1/64, so float32 holds them exactly.
"""
import json
import random

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
random.seed(20261130)


def numbers(*shape):
    count = torch.Size(shape).numel()
    values = [round(random.uniform(-1, 1) * 64) / 64 for _ in range(count)]
    return torch.tensor(values).reshape(shape)


def loss_of(loss, output, targets):
    kind = loss["kind"]
    weights = torch.tensor(loss["classWeights"]) if "classWeights" in loss else None
    smoothing = loss.get("labelSmoothing", 0.0)
    # PyTorch has the classes in the second axis.
    scores = output.movedim(-1, 1)
    if kind == "crossEntropy":
        return F.cross_entropy(scores, targets.long(), weight=weights, label_smoothing=smoothing,
                               ignore_index=loss.get("ignoreLabel", -100))
    if kind == "categoricalCrossEntropy":
        return F.cross_entropy(scores, targets.movedim(-1, 1), weight=weights,
                               label_smoothing=smoothing)
    if kind == "binaryCrossEntropy":
        weight = torch.tensor(loss["posWeight"], dtype=torch.float64)
        return F.binary_cross_entropy_with_logits(output, targets, pos_weight=weight)
    return F.l1_loss(output, targets)


def targets_of(loss, shape):
    if loss["kind"] == "crossEntropy":
        targets = torch.tensor([float(random.randrange(shape[-1]))
                                for _ in range(shape[:-1].numel())]).reshape(shape[:-1])
        if "ignoreLabel" in loss:
            targets.view(-1)[1::3] = loss["ignoreLabel"]
        return targets
    if loss["kind"] == "categoricalCrossEntropy":
        # Two classes share each position.
        first = (numbers(*shape[:-1], 1) + 1) / 2
        return torch.cat([torch.zeros(*shape[:-1], shape[-1] - 2), first, 1 - first], -1)
    if loss["kind"] == "binaryCrossEntropy":
        return (numbers(*shape) + 1) / 2
    return numbers(*shape)


def flat(tensor):
    return [float(f"{value:.12g}") for value in tensor.detach().reshape(-1).tolist()]


def case(name, input_shape, units, loss, batch):
    x = numbers(batch, *input_shape)
    weight = numbers(units, input_shape[-1]).requires_grad_(True)
    bias = numbers(units).requires_grad_(True)
    output = F.linear(x, weight, bias)
    targets = targets_of(loss, output.shape)
    value = loss_of(loss, output, targets)
    value.backward()
    return {
        "name": name, "inputShape": input_shape, "layers": [{"kind": "dense", "units": units}],
        "loss": loss, "batchSize": batch, "input": flat(x), "targets": flat(targets),
        "parameters": flat(weight) + flat(bias), "output": flat(output),
        "value": float(f"{value.item():.12g}"), "gradients": flat(weight.grad) + flat(bias.grad),
        "statistics": [], "inference": flat(output),
    }


def entropy(**options):
    return {"kind": "crossEntropy", **options}


WEIGHTS = [0.5, 2.0, 1.0]
CASES = [
    case("mean absolute error", [3], 2, {"kind": "meanAbsoluteError"}, 5),
    case("positive weight", [3], 2, {"kind": "binaryCrossEntropy", "posWeight": 2.5}, 3),
    case("positive weights", [3], 3,
         {"kind": "binaryCrossEntropy", "posWeight": [0.5, 3.0, 1.0]}, 3),
    case("label smoothing", [3], 5, entropy(labelSmoothing=0.125), 4),
    case("label smoothing, class weights", [4], 3,
         entropy(labelSmoothing=0.25, classWeights=WEIGHTS, reduction="weighted-mean"), 5),
    case("ignored labels", [4], 3, entropy(ignoreLabel=-100), 5),
    case("ignored class, class weights", [4], 3,
         entropy(ignoreLabel=1, classWeights=WEIGHTS, reduction="weighted-mean"), 5),
    case("classes at every step", [4, 3], 5, entropy(), 3),
    case("ignored steps, smoothing, class weights", [4, 3], 3,
         entropy(ignoreLabel=-1, labelSmoothing=0.125, classWeights=WEIGHTS,
                 reduction="weighted-mean"), 3),
    case("probabilities", [4], 5, {"kind": "categoricalCrossEntropy"}, 3),
    case("probabilities, smoothing, class weights, every step", [3, 4], 3,
         {"kind": "categoricalCrossEntropy", "labelSmoothing": 0.125, "classWeights": WEIGHTS}, 3),
]
print("[\n" + ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in CASES) + "\n]")
