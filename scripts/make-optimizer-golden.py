"""Adds float64 trajectories of the published rules to tests/data/golden-trajectories.json.

    python3 scripts/make-optimizer-golden.py

Cases that the script wrote before are replaced; others keep their text. Only Python's floats
compute, which are float64. Where PyTorch can be imported (Debian's python3-torch, 1.13) and has
the rule, its own optimizer must agree within 1e-13. Initial values and gradients are multiples of
1/256 times a power of two, so float32 holds them exactly.
"""
import json
import math
import pathlib
import random
import re

try:
    import torch
except ImportError:
    torch = None

FILE = pathlib.Path(__file__).parent.parent / "tests/data/golden-trajectories.json"
STEPS = 16
KEPT = (1, 2, 8, 16)


def numbers(count, scale):
    return [round(max(-4, min(4, random.gauss(0, scale))) * 256) / 256 for _ in range(count)]


def gradients(kind, sizes):
    """Normal numbers; 'decay' halves them at every step; 'zeros' leaves every third at 0."""
    steps = [[numbers(size, 1) for size in sizes] for _ in range(STEPS)]
    for t, step in enumerate(steps):
        for tensor in step:
            for i, value in enumerate(tensor):
                if kind == "decay":
                    tensor[i] = value * 0.5**t
                elif kind == "zeros" and i % 3 == 1:
                    tensor[i] = 0
    return steps


def rmsprop(theta, grads, lr, alpha, eps, momentum=0, centered=False, epsInSqrt=False):
    v, a, m = ([0.0] * len(theta) for _ in range(3))
    for grad in grads:
        for i, g in enumerate(grad):
            v[i] = alpha * v[i] + (1 - alpha) * g * g
            w = v[i]
            if centered:
                a[i] = alpha * a[i] + (1 - alpha) * g
                w -= a[i] * a[i]
            m[i] = momentum * m[i] + g / (math.sqrt(w + eps) if epsInSqrt else math.sqrt(w) + eps)
            theta[i] -= lr * m[i]
        yield theta


def adadelta(theta, grads, lr, rho, eps, weightDecay=0, l2=0):
    v, d = ([0.0] * len(theta) for _ in range(2))
    for grad in grads:
        for i, g in enumerate(grad):
            h = g + l2 * theta[i]
            v[i] = rho * v[i] + (1 - rho) * h * h
            u = math.sqrt(d[i] + eps) / math.sqrt(v[i] + eps) * h
            d[i] = rho * d[i] + (1 - rho) * u * u
            theta[i] = theta[i] * (1 - lr * weightDecay) - lr * u
        yield theta


def adamax(theta, grads, lr, betas, eps, weightDecay=0, l2=0):
    m, u = ([0.0] * len(theta) for _ in range(2))
    for t, grad in enumerate(grads, 1):
        for i, g in enumerate(grad):
            h = g + l2 * theta[i]
            m[i] = betas[0] * m[i] + (1 - betas[0]) * h
            u[i] = max(betas[1] * u[i], abs(h) + eps)
            theta[i] = theta[i] * (1 - lr * weightDecay)
            theta[i] -= lr / (1 - betas[0] ** t) * m[i] / u[i]
        yield theta


def adamw(theta, grads, lr, betas, eps, weightDecay=0):
    m, v = ([0.0] * len(theta) for _ in range(2))
    for t, grad in enumerate(grads, 1):
        for i, g in enumerate(grad):
            m[i] = betas[0] * m[i] + (1 - betas[0]) * g
            v[i] = betas[1] * v[i] + (1 - betas[1]) * g * g
            root = math.sqrt(v[i] / (1 - betas[1] ** t)) + eps
            theta[i] = theta[i] * (1 - lr * weightDecay)
            theta[i] -= lr * m[i] / (1 - betas[0] ** t) / root
        yield theta


def multiply(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def orthogonalize(u, rows, columns):
    """Newton-Schulz as in the author's code, with float64 in place of bfloat16."""
    norm = math.sqrt(sum(x * x for x in u)) + 1e-7
    x = [[u[i * columns + j] / norm for j in range(columns)] for i in range(rows)]
    if rows > columns:
        x = [list(column) for column in zip(*x)]
    for _ in range(5):
        square = multiply(x, [list(column) for column in zip(*x)])
        fourth = multiply(square, square)
        b = [[-4.775 * p + 2.0315 * q for p, q in zip(*r)] for r in zip(square, fourth)]
        x = [[3.4445 * p + q for p, q in zip(*r)] for r in zip(x, multiply(b, x))]
    if rows > columns:
        x = [list(column) for column in zip(*x)]
    return [value for row in x for value in row]


def muon(theta, grads, shape, lr, momentum=0.95, nesterov=True, adjustLr="original",
         weightDecay=0, l2=0, adamLr=3e-4, betas=(0.9, 0.95), eps=1e-10):
    if len(shape) < 2:
        yield from adamw(theta, grads, adamLr, betas, eps, weightDecay)
        return
    rows, columns = shape[0], math.prod(shape[1:])
    if adjustLr == "original":
        scale = math.sqrt(max(1, rows / columns))
    else:
        scale = 0.2 * math.sqrt(max(rows, columns))
    m = [0.0] * len(theta)
    for grad in grads:
        h = [g + l2 * x for g, x in zip(grad, theta)]
        m = [momentum * x + (1 - momentum) * g for x, g in zip(m, h)]
        u = [(1 - momentum) * g + momentum * x for x, g in zip(m, h)] if nesterov else m
        move = orthogonalize(u, rows, columns)
        theta = [x * (1 - lr * weightDecay) - lr * scale * d for x, d in zip(theta, move)]
        yield theta


RULES = {"rmsprop": rmsprop, "adadelta": adadelta, "adamax": adamax, "muon": muon}
TORCH = {"rmsprop": "RMSprop", "adadelta": "Adadelta", "adamax": "Adamax"}


def check_against_torch(optimizer, options, init, grads, expected):
    """The rule with PyTorch's conventions: ε beside the root, l2 for weight_decay, no decay."""
    if torch is None or optimizer not in TORCH:
        return
    own = {"weight_decay" if key == "l2" else key: value for key, value in options.items()}
    own.pop("weightDecay", None)
    if own.pop("epsInSqrt", False):
        expected = run(optimizer, {**options, "epsInSqrt": False}, init, grads)
    if options.get("weightDecay"):
        expected = run(optimizer, {**options, "weightDecay": 0}, init, grads)
    theta = torch.tensor(init, dtype=torch.float64, requires_grad=True)
    made = getattr(torch.optim, TORCH[optimizer])([theta], **own)
    for grad, values in zip(grads, expected):
        theta.grad = torch.tensor(grad, dtype=torch.float64)
        made.step()
        worst = max(abs(a - b) for a, b in zip(theta.tolist(), values))
        assert worst < 1e-13, (optimizer, options, worst)


def run(optimizer, options, init, grads, shape=None):
    own = {**options, "shape": shape} if optimizer == "muon" else options
    return [list(theta) for theta in RULES[optimizer](list(init), grads, **own)]


def case(name, optimizer, options, kind, shapes=((17,), (5, 5))):
    sizes = [math.prod(shape) for shape in shapes]
    inits = [numbers(size, 0.7) for size in sizes]
    grads = gradients(kind, sizes)
    runs = []
    for index, init in enumerate(inits):
        own = [step[index] for step in grads]
        runs.append(run(optimizer, options, init, own, shapes[index]))
        check_against_torch(optimizer, options, init, own, runs[-1])
    return {
        "name": name,
        "optimizer": optimizer,
        "options": options,
        "steps": STEPS,
        "gradients": kind,
        "params": [
            {"name": f"p{index}", "shape": list(shapes[index]), "init": init}
            for index, init in enumerate(inits)
        ],
        "grads": grads,
        "expected": {str(t): [values[t - 1] for values in runs] for t in KEPT},
    }


random.seed(20261130)
inside = {"lr": 0.03, "alpha": 0.9, "eps": 1e-3, "epsInSqrt": True}
delta = {"lr": 1, "rho": 0.9, "eps": 1e-6}
matrices = ((5, 3), (3, 7), (4, 2, 2, 3), (3,), (1, 4))
infinity = {"lr": 0.03, "betas": [0.9, 0.99], "eps": 1e-8}
CASES = [
    case("rmsprop-inside-normal", "rmsprop", inside, "normal"),
    case("rmsprop-inside-momentum-decay", "rmsprop", {**inside, "momentum": 0.9}, "decay"),
    case("rmsprop-inside-centered-zeros", "rmsprop", {**inside, "centered": True}, "zeros"),
    case(
        "rmsprop-inside-centered-momentum-normal",
        "rmsprop",
        {**inside, "alpha": 0.99, "eps": 1e-7, "momentum": 0.9, "centered": True},
        "normal",
    ),
    case("adadelta-normal", "adadelta", delta, "normal"),
    case("adadelta-l2-decay", "adadelta", {**delta, "rho": 0.95, "l2": 0.05}, "decay"),
    case("adadelta-decoupled-zeros", "adadelta", {**delta, "weightDecay": 0.01}, "zeros"),
    case("adamax-normal", "adamax", infinity, "normal"),
    case("adamax-l2-decay", "adamax", {**infinity, "eps": 1e-3, "l2": 0.05}, "decay"),
    case("adamax-decoupled-zeros", "adamax", {**infinity, "weightDecay": 0.1}, "zeros"),
    case("muon-normal", "muon", {"lr": 0.02}, "normal", matrices),
    case(
        "muon-match-rms-adamw-decoupled-zeros",
        "muon",
        {"lr": 3e-3, "adjustLr": "match-rms-adamw", "weightDecay": 0.1, "adamLr": 3e-3},
        "zeros",
        matrices,
    ),
    case("muon-plain-decay", "muon", {"lr": 0.02, "nesterov": False, "momentum": 0.9}, "decay", matrices),
]

text = FILE.read_text()
for made in CASES:  # each is a line of its own
    text = re.sub(r',\n\{"name":"%s".*?(?=,?\n)' % re.escape(made["name"]), "", text)
tail = re.search(r"\s*\]\}\s*$", text)
lines = "".join(",\n" + json.dumps(made, separators=(",", ":")) for made in CASES)
FILE.write_text(text[: tail.start()] + lines + "\n]}\n")
print(f"{len(CASES)} cases, {'checked against' if torch else 'without'} PyTorch")
