"""Writes golden values for src/nn, from PyTorch in float64: outputs, loss,
gradients and running statistics of small networks.

    /usr/bin/python3 scripts/make-nn-golden.py > tests/data/golden-nn.json

Needs Debian's python3-torch; the file was written with 1.13.0. All numbers in the data are
multiples of 1/64, so float32 holds them exactly. Images are stored in this project's order (height, width,
channels; weights out, height, width, in) and permuted here, because PyTorch has channels first.
"""
import json
import random

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
random.seed(20260101)


def numbers(*shape, scale=1.0):
    count = 1
    for size in shape:
        count *= size
    values = [round(random.uniform(-1, 1) * scale * 64) / 64 for _ in range(count)]
    return torch.tensor(values).reshape(shape)


PREFIXES = {
    "conv1d": "conv", "conv2d": "conv", "conv2dTranspose": "convTranspose",
    "depthwiseConv2d": "depthwiseConv", "separableConv2d": "separableConv",
}


class Net:
    """Runs a list of layer descriptions; parameters are kept in this project's layout and order."""

    def __init__(self, layers, input_shape):
        self.layers = layers
        self.parameters = {}
        self.statistics = {}
        self.counts = {}
        self.names = []
        shape = torch.zeros(2, *input_shape)
        if layers[0]["kind"] != "embedding":
            shape = shape + torch.arange(shape.numel()).reshape(shape.shape) / 64
        for layer in layers:
            self.names.append(self.declare(layer, shape.shape[1:]))
            shape = self.apply(layer, self.names[-1], shape, True)
        for name in self.statistics:
            initial = 1.0 if name.endswith("variance") else 0.0
            self.statistics[name] = torch.zeros_like(self.statistics[name]) + initial

    def declare(self, layer, shape):
        kind = layer["kind"]
        prefix = PREFIXES.get(kind, kind)
        self.counts[prefix] = self.counts.get(prefix, 0) + 1
        name = f"{prefix}{self.counts[prefix]}"
        if kind == "dense":
            self.parameters[f"{name}.weight"] = numbers(layer["units"], shape[-1])
            self.parameters[f"{name}.bias"] = numbers(layer["units"])
        elif "kernelSize" in layer:
            size = [layer["kernelSize"]] if kind == "conv1d" else pair(layer["kernelSize"])
            channels, multiplier = shape[-1], layer.get("depthMultiplier", 1)
            filters = layer.get("filters", channels * multiplier)
            if kind == "depthwiseConv2d":
                self.parameters[f"{name}.weight"] = numbers(*size, channels, multiplier)
            elif kind == "separableConv2d":
                self.parameters[f"{name}.depthwiseWeight"] = numbers(*size, channels, multiplier)
                self.parameters[f"{name}.pointwiseWeight"] = numbers(filters, 1, 1, channels * multiplier)
            elif kind == "conv2dTranspose":
                self.parameters[f"{name}.weight"] = numbers(channels, *size, filters)
            else:
                self.parameters[f"{name}.weight"] = numbers(filters, *size, channels)
            if layer.get("useBias", True):
                self.parameters[f"{name}.bias"] = numbers(filters)
        elif kind == "embedding":
            self.parameters[f"{name}.weight"] = numbers(layer["rows"], layer["dim"])
        elif kind in ("batchNorm", "layerNorm"):
            self.parameters[f"{name}.gamma"] = numbers(shape[-1]) + 1.5
            self.parameters[f"{name}.beta"] = numbers(shape[-1])
            if kind == "batchNorm":
                self.statistics[f"{name}.mean"] = torch.zeros(shape[-1])
                self.statistics[f"{name}.variance"] = torch.ones(shape[-1])
        if kind == "maxout":
            rows = layer["units"] * layer["pieces"]
            self.parameters[f"{name}.weight"] = numbers(rows, shape[-1])
            self.parameters[f"{name}.bias"] = numbers(rows)
        if not layer.get("useBias", True):
            del self.parameters[f"{name}.bias"]
        return name

    def apply(self, layer, name, x, training):
        kind = layer["kind"]
        p = lambda field: self.parameters.get(f"{name}.{field}")
        if kind == "dense":
            return F.linear(x, p("weight"), p("bias"))
        if "kernelSize" in layer:
            bias = p("bias") if layer.get("useBias", True) else None
            stride, dilation = pair(layer.get("stride", 1)), pair(layer.get("dilation", 1))
            if kind == "conv2dTranspose":
                return transposed(layer, x, p("weight"), bias, stride, dilation)
            if kind == "conv1d":
                top, bottom, left, right = 0, 0, *padding_of(layer, x.shape[1:2])
                padded = F.pad(x.permute(0, 2, 1), (left, right))
                weight = p("weight").permute(0, 2, 1)
                y = F.conv1d(padded, weight, bias, stride=stride[:1], dilation=dilation[:1])
                return y.permute(0, 2, 1)
            top, bottom, left, right = padding_of(layer, x.shape[1:3])
            padded = F.pad(x.permute(0, 3, 1, 2), (left, right, top, bottom))
            options = {"stride": stride, "dilation": dilation}
            if kind == "conv2d":
                weight = p("weight").permute(0, 3, 1, 2)
                return F.conv2d(padded, weight, bias, **options).permute(0, 2, 3, 1)
            weight = p("weight" if kind == "depthwiseConv2d" else "depthwiseWeight")
            # [rows, columns, channels, multiplier] to [channels * multiplier, 1, rows, columns].
            weight = weight.permute(2, 3, 0, 1).flatten(0, 1).unsqueeze(1)
            own = bias if kind == "depthwiseConv2d" else None
            y = F.conv2d(padded, weight, own, groups=x.shape[-1], **options).permute(0, 2, 3, 1)
            if kind == "depthwiseConv2d":
                return y
            return F.linear(y, p("pointwiseWeight").flatten(1), bias)
        if kind in ("maxPool2d", "avgPool2d", "maxPool1d", "avgPool1d"):
            return pooled(layer, x)
        if layer.get("interpolation") == "bilinear":
            y = F.interpolate(x.permute(0, 3, 1, 2), scale_factor=pair(layer["size"]),
                              mode="bilinear", align_corners=False)
            return y.permute(0, 2, 3, 1)
        if kind in ("upSampling2d", "upSampling1d"):
            for axis, size in enumerate(pair(layer["size"])[: x.dim() - 2]):
                x = x.repeat_interleave(size, dim=1 + axis)
            return x
        if kind == "globalMaxPool":
            return x.reshape(x.shape[0], -1, x.shape[-1]).max(1).values
        if kind == "globalAvgPool":
            return x.reshape(x.shape[0], -1, x.shape[-1]).mean(1)
        if kind == "flatten":
            return x.reshape(x.shape[0], -1)
        if kind == "embedding":
            return F.embedding(x.long(), p("weight"))
        if kind == "batchNorm":
            rows = x.reshape(-1, x.shape[-1])
            mean, variance = self.statistics[f"{name}.mean"], self.statistics[f"{name}.variance"]
            momentum, eps = layer.get("momentum", 0.1), layer.get("eps", 1e-5)
            old = variance.clone()
            y = F.batch_norm(rows, mean, variance, p("gamma"), p("beta"), training, momentum, eps)
            if training and layer.get("runningVariance") == "biased":
                moved = old + momentum * (rows.detach().var(0, unbiased=False) - old)
                self.statistics[f"{name}.variance"] = moved
            return y.reshape(x.shape)
        if kind == "layerNorm":
            return F.layer_norm(x, x.shape[-1:], p("gamma"), p("beta"), layer.get("eps", 1e-5))
        if kind == "leakyRelu":
            return F.leaky_relu(x, layer.get("slope", 0.01))
        if kind == "elu":
            return F.elu(x, layer.get("alpha", 1.0))
        if kind == "gelu":
            return F.gelu(x, approximate=layer.get("approximate", "none"))
        if kind == "relu6":
            return F.relu6(x)
        if kind == "softmax":
            return F.softmax(x, -1)
        if kind == "maxout":
            pieces = F.linear(x, p("weight"), p("bias"))
            return pieces.reshape(*x.shape[:-1], layer["units"], layer["pieces"]).max(-1).values
        if kind == "reshape":
            return x.reshape(x.shape[0], *layer["shape"])
        if kind == "repeatVector":
            return x.unsqueeze(1).repeat(1, layer["times"], 1)
        activations = {"relu": F.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "silu": F.silu}
        return activations[kind](x)

    def __call__(self, x, training):
        for layer, name in zip(self.layers, self.names):
            x = self.apply(layer, name, x, training)
        return x


def pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


def padding_of(layer, shape):
    """Zeros before and after each axis: for 'same' as TensorFlow has them."""
    padding = layer.get("padding", 0)
    sizes = pair(layer.get("kernelSize", layer.get("size")))
    strides = pair(layer.get("stride", layer.get("size", 1)))
    dilations = pair(layer.get("dilation", 1))
    sides = []
    for axis, length in enumerate(shape):
        span = (sizes[axis] - 1) * dilations[axis] + 1
        if padding == "same":
            stride = strides[axis]
            total = max(0, (-(-length // stride) - 1) * stride + span - length)
            sides += [total // 2, total - total // 2]
        elif padding == "causal":
            sides += [span - 1, 0]
        else:
            sides += 2 * [pair(padding)[axis]]
    return tuple(sides)


def pooled(layer, x):
    """Pooling over windows, of which only pixels of the image count."""
    axes = x.dim() - 2
    stride = pair(layer.get("stride", layer["size"]))[:axes]
    size = pair(layer["size"])[:axes]
    sides = padding_of(layer, x.shape[1:-1])
    # F.pad names the last axis first.
    sides = [side for axis in reversed(range(axes)) for side in sides[2 * axis : 2 * axis + 2]]
    order = (0, axes + 1, *range(1, axes + 1))
    first = x.permute(order)
    if layer["kind"].startswith("max"):
        pool = F.max_pool2d if axes == 2 else F.max_pool1d
        y = pool(F.pad(first, sides, value=-float("inf")), size, stride)
    else:
        pool = F.avg_pool2d if axes == 2 else F.avg_pool1d
        total = pool(F.pad(first, sides), size, stride)
        y = total / pool(F.pad(torch.ones_like(first), sides), size, stride)
    return y.permute(0, *range(2, axes + 2), 1)


def transposed(layer, x, weight, bias, stride, dilation):
    """A transposed convolution; 'same' cuts the output to input * stride, as TensorFlow does."""
    padding = layer.get("padding", 0)
    y = F.conv_transpose2d(
        x.permute(0, 3, 1, 2), weight.permute(0, 3, 1, 2), bias, stride=stride, dilation=dilation,
        padding=0 if padding == "same" else pair(padding),
        output_padding=pair(layer.get("outputPadding", 0)),
    ).permute(0, 2, 3, 1)
    if padding == "same":
        for axis in (1, 2):
            length = x.shape[axis] * stride[axis - 1]
            y = y.narrow(axis, (y.shape[axis] - length) // 2, length)
    return y


def loss_of(loss, output, targets):
    kind = loss["kind"]
    if kind == "crossEntropy":
        weights = torch.tensor(loss["classWeights"]) if "classWeights" in loss else None
        if loss.get("reduction") == "weighted-mean":
            # Divides by the sum of the weights.
            return F.cross_entropy(output, targets.long(), weight=weights)
        # As Keras does.
        total = F.cross_entropy(output, targets.long(), weight=weights, reduction="sum")
        return total / len(targets)
    if kind == "binaryCrossEntropy":
        return F.binary_cross_entropy_with_logits(output, targets)
    if kind == "meanSquaredError":
        return F.mse_loss(output, targets)
    return F.huber_loss(output, targets, delta=loss.get("delta", 1.0))


def flat(tensor):
    return [float(f"{value:.12g}") for value in tensor.detach().reshape(-1).tolist()]


def case(name, input_shape, layers, loss, batch):
    net = Net(layers, input_shape)
    if layers[0]["kind"] == "embedding":
        rows = layers[0]["rows"]
        draw = lambda count: [float(random.randrange(rows)) for _ in range(count)]
        x = torch.tensor([draw(input_shape[0]) for _ in range(batch)])
    else:
        x = numbers(batch, *input_shape)
    for parameter in net.parameters.values():
        parameter.requires_grad_(True)
    first = flat(torch.cat([p.reshape(-1) for p in net.parameters.values()]))
    output = net(x, True)
    if loss["kind"] == "crossEntropy":
        targets = torch.tensor([float(random.randrange(output.shape[1])) for _ in range(batch)])
    elif loss["kind"] == "binaryCrossEntropy":
        targets = (numbers(*output.shape) + 1) / 2
    else:
        targets = numbers(*output.shape)
    value = loss_of(loss, output, targets)
    value.backward()
    return {
        "name": name, "inputShape": input_shape, "layers": layers, "loss": loss, "batchSize": batch,
        "input": flat(x), "targets": flat(targets), "parameters": first,
        "output": flat(output), "value": float(f"{value.item():.12g}"),
        "gradients": flat(torch.cat([p.grad.reshape(-1) for p in net.parameters.values()])),
        "statistics": flat(torch.cat([torch.zeros(0), *net.statistics.values()])),
        "inference": flat(net(x, False)),
    }


def layer(kind, **options):
    return {"kind": kind, **options}


def dense(units):
    return layer("dense", units=units)


CASES = [
    case("dense and relu", [4], [dense(6), layer("relu"), dense(3)], {"kind": "crossEntropy"}, 3),
    case("leaky relu, class weights", [4], [dense(6), layer("leakyRelu", slope=0.25), dense(3)],
         {"kind": "crossEntropy", "classWeights": [0.5, 2.0, 1.0], "reduction": "weighted-mean"},
         4),
    case("tanh", [3], [dense(5), layer("tanh"), dense(2)], {"kind": "meanSquaredError"}, 3),
    case("sigmoid", [3], [dense(5), layer("sigmoid"), dense(3)],
         {"kind": "huber", "delta": 0.5}, 3),
    case("silu", [3], [dense(5), layer("silu"), dense(2)], {"kind": "binaryCrossEntropy"}, 3),
    case("batch norm", [4],
         [layer("batchNorm"), dense(5), layer("batchNorm", eps=1e-3, momentum=0.25), layer("relu"),
          dense(3)],
         {"kind": "crossEntropy"}, 5),
    case("layer norm", [4], [dense(6), layer("layerNorm"), layer("tanh"), dense(3)],
         {"kind": "crossEntropy"}, 3),
    case("embedding", [3],
         [layer("embedding", rows=5, dim=4), dense(3), layer("tanh"), layer("flatten"), dense(3)],
         {"kind": "crossEntropy"}, 4),
    case("conv and max pool", [5, 6, 2],
         [layer("conv2d", filters=4, kernelSize=3, padding=1), layer("relu"),
          layer("maxPool2d", size=2), layer("flatten"), dense(3)],
         {"kind": "crossEntropy"}, 2),
    case("conv with stride, uneven padding, average pool", [5, 6, 2],
         [layer("conv2d", filters=3, kernelSize=[2, 3], stride=[1, 2], padding=[0, 1]),
          layer("tanh"), layer("conv2d", filters=4, kernelSize=3, stride=2, padding="same"),
          layer("avgPool2d", size=2, stride=1),
          layer("flatten"), dense(2)], {"kind": "meanSquaredError"}, 9),
    case("conv, batch norm, overlapping max pool, global average", [5, 5, 1],
         [layer("conv2d", filters=3, kernelSize=2, padding="same"), layer("batchNorm"),
          layer("silu"), layer("maxPool2d", size=3, stride=1), layer("globalAvgPool"), dense(3)],
         {"kind": "crossEntropy"}, 3),
    case("elu and gelu", [4],
         [dense(6), layer("elu", alpha=1.5), dense(6), layer("gelu"), dense(5),
          layer("gelu", approximate="tanh"), dense(3)], {"kind": "crossEntropy"}, 3),
    case("relu6, no bias, softmax", [3, 4],
         [layer("reshape", shape=[2, 6]), layer("dense", units=5, useBias=False), layer("relu6"),
          dense(4), layer("softmax"), layer("flatten"), dense(2)],
         {"kind": "meanSquaredError"}, 3),
    case("maxout, repeated, biased variance", [4],
         [layer("maxout", units=5, pieces=3), layer("repeatVector", times=3), dense(4),
          layer("batchNorm", runningVariance="biased"), layer("elu"),
          layer("maxout", units=3, pieces=2, useBias=False), layer("globalAvgPool")],
         {"kind": "crossEntropy"}, 4),
    case("class weights over the count", [4], [dense(6), layer("relu"), dense(3)],
         {"kind": "crossEntropy", "classWeights": [0.5, 2.0, 1.0]}, 5),
    case("depthwise conv", [5, 6, 3],
         [layer("depthwiseConv2d", kernelSize=3, padding="same"), layer("tanh"),
          layer("depthwiseConv2d", kernelSize=[2, 3], stride=[1, 2], padding=[0, 1],
                depthMultiplier=2), layer("flatten"), dense(2)], {"kind": "meanSquaredError"}, 2),
    case("dilated depthwise conv, separable conv", [7, 6, 4],
         [layer("depthwiseConv2d", kernelSize=3, stride=[1, 3], padding=2, dilation=2,
                useBias=False), layer("silu"),
          layer("separableConv2d", filters=3, kernelSize=2, padding="same", depthMultiplier=2),
          layer("flatten"), dense(2)], {"kind": "meanSquaredError"}, 2),
    case("conv over time, pools with padding, upsampling", [13, 2],
         [layer("conv1d", filters=3, kernelSize=3, padding="causal", dilation=2), layer("tanh"),
          layer("maxPool1d", size=3, stride=2, padding="same"),
          layer("conv1d", filters=4, kernelSize=4, stride=2, padding=2, useBias=False),
          layer("upSampling1d", size=3), layer("avgPool1d", size=3, stride=2, padding=1),
          layer("conv1d", filters=3, kernelSize=2, padding="same"), layer("globalMaxPool"),
          dense(3)], {"kind": "crossEntropy"}, 3),
    case("dilated conv, pools with padding, upsampling", [6, 5, 2],
         [layer("conv2d", filters=3, kernelSize=[2, 3], padding="same", dilation=2),
          layer("silu"), layer("maxPool2d", size=3, stride=2, padding=1),
          layer("upSampling2d", size=[2, 3]),
          layer("conv2d", filters=4, kernelSize=3, stride=2, padding=1, dilation=[3, 1]),
          layer("avgPool2d", size=3, stride=2, padding="same"), layer("flatten"), dense(2)],
         {"kind": "meanSquaredError"}, 2),
    case("transposed conv", [3, 4, 2],
         [layer("conv2dTranspose", filters=3, kernelSize=3, stride=2, padding="same"),
          layer("tanh"),
          layer("conv2dTranspose", filters=2, kernelSize=[2, 3], stride=[2, 1], padding=[0, 1],
                outputPadding=[1, 0], useBias=False),
          layer("flatten"), dense(2)], {"kind": "meanSquaredError"}, 2),
    case("bilinear upsampling", [3, 2, 3],
         [layer("upSampling2d", size=[2, 3], interpolation="bilinear"), layer("tanh"),
          layer("conv2d", filters=2, kernelSize=3, stride=2),
          layer("upSampling2d", size=4, interpolation="bilinear"),
          layer("conv2d", filters=2, kernelSize=3, stride=2),
          layer("flatten"), dense(2)], {"kind": "meanSquaredError"}, 2),
]
print("[\n" + ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in CASES) + "\n]")
