/** Trains the cases with this package, and describes them for the peers. */
import { createRuntime } from 'adal-wasm';
import { createModel } from 'adal-wasm/nn';
import { createOptimizer } from 'adal-wasm/registry';

/** Numbers in [0, 1), the same in every run. */
function generator(seed) {
  let state = seed * 7919 + 1;
  const next = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let i = 0; i < 10; i++) next();
  return next;
}

const product = (shape) => shape.reduce((a, b) => a * b, 1);
const onValues = (loss) => loss.kind !== 'crossEntropy';
const inUnitRange = ({ kind }) => ['binaryCrossEntropy', 'categoricalCrossEntropy'].includes(kind);

/**
 * Draws the inputs of a batch. `fill` says how, by input: a number of rows of a table for whole
 * numbers below it; `'lengths'` for numbers of steps, beyond which the other inputs are 0; `'mask'`
 * for ones with zeros at the end.
 */
function drawInputs(shapes, fill, count, next) {
  const inputs = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const size = product(shape);
    const data = new Float32Array(count * size);
    const how = fill[name];
    for (let i = 0; i < data.length; i++) {
      const value = next();
      data[i] = typeof how === 'number' ? Math.floor(value * how) : 2 * value - 1;
    }
    if (how === 'mask') {
      for (let sample = 0; sample < count; sample++) {
        const kept = 1 + Math.floor(next() * size);
        for (let i = 0; i < size; i++) data[sample * size + i] = i < kept ? 1 : 0;
      }
    }
    inputs[name] = { shape: [count, ...shape], data };
  }
  for (const [name, how] of Object.entries(fill)) {
    if (how !== 'lengths') continue;
    const { data: lengths } = inputs[name];
    for (const { shape, data } of Object.values(inputs)) {
      if (shape.length !== 3) continue;
      const [, steps, features] = shape;
      for (let sample = 0; sample < count; sample++) {
        lengths[sample] = 1 + Math.floor(next() * steps);
        const from = (sample * steps + lengths[sample]) * features;
        data.fill(0, from, (sample + 1) * steps * features);
      }
    }
  }
  return inputs;
}

/** Draws the targets of a batch; every fifth label or so is the ignored one. */
function drawTargets(model, losses, count, next) {
  const targets = {};
  for (const [name, loss] of Object.entries(losses)) {
    const shape = model.outputShapes[name];
    const own = onValues(loss) ? shape : shape.slice(0, -1);
    const data = Array.from({ length: count * product(own) }, (_, index) => {
      const value = next();
      if (onValues(loss)) return Math.fround(inUnitRange(loss) ? value : 2 * value - 1);
      if (loss.ignoreLabel !== undefined && index % 5 === 2) return loss.ignoreLabel;
      return Math.floor(value * shape.at(-1));
    });
    if (loss.kind === 'categoricalCrossEntropy') normalise(data, shape.at(-1));
    targets[name] = { shape: [count, ...own], data };
  }
  return targets;
}

/** Makes rows of probabilities of rows of positive numbers. */
function normalise(values, classes) {
  for (let at = 0; at < values.length; at += classes) {
    const sum = values.slice(at, at + classes).reduce((a, b) => a + b, 0);
    for (let i = at; i < at + classes; i++) values[i] = Math.fround(values[i] / sum);
  }
}

/** Moves weights away from equal ones, such as zeros: their places must matter. */
function disturb(model, next) {
  for (const [name, { data }] of Object.entries(model.weights)) {
    if (!data.every((value) => value === data[0])) continue;
    const positive = name.endsWith('.variance');
    for (let i = 0; i < data.length; i++) data[i] += 0.4 * (positive ? next() : next() - 0.5);
  }
}

/** Returns the nodes of a model, each with the node whose weights it uses. */
function nodesOf({ nodes, layers }, model) {
  if (layers)
    return layers.map((layer, i) => {
      const name = model.layerNames[i];
      return { name, owner: name, layer, inputs: [i === 0 ? 'input' : model.layerNames[i - 1]] };
    });
  const byName = new Map(nodes.map((node) => [node.name, node]));
  return nodes.map(({ name, layer, inputs }) =>
    typeof layer === 'string'
      ? { name, owner: layer, layer: byName.get(layer).layer, inputs }
      : { name, owner: name, layer, inputs },
  );
}

/** Returns copies of all weights by node and own name. */
function weightsOf(model) {
  const weights = {};
  for (const [name, { data, shape }] of Object.entries(model.stateDict().arrays)) {
    const dot = name.indexOf('.');
    (weights[name.slice(0, dot)] ??= {})[name.slice(dot + 1)] = { shape: [...shape], data };
  }
  return weights;
}

/** Sets up a case; returns its twin, a model, and what trains it. */
async function prepare(runtime, { model: options, optimizer, seed = 1, ...rest }) {
  const { batchSize = 7, batches: count = 4, steps = 32, fill = {}, sampleWeights } = rest;
  const next = generator(seed);
  const model = await createModel(runtime, { ...options, batchSize, seed });
  disturb(model, next);
  const losses = Object.fromEntries(Object.entries(model.losses).filter(([, loss]) => loss));
  const outputs = Array.isArray(options.outputs)
    ? Object.fromEntries(options.outputs.map((name) => [name, name]))
    : (options.outputs ?? { output: model.layerNames.at(-1) });
  const batches = Array.from({ length: count }, () => ({
    inputs: drawInputs(model.inputShapes, fill, batchSize, next),
    targets: drawTargets(model, losses, batchSize, next),
    ...(sampleWeights && {
      sampleWeights: Array.from({ length: batchSize }, () => Math.fround(0.25 + 2 * next())),
    }),
  }));
  const twin = {
    inputs: model.inputShapes,
    nodes: nodesOf(options, model),
    outputs,
    losses,
    lossWeights: options.lossWeights ?? {},
    penalties: options.penalties ?? [],
    weights: weightsOf(model),
    optimizer,
    batches,
    batchSize,
    steps,
  };
  return { twin, model };
}

/** Copies a batch into a model; returns the options of its passes. */
function load(model, { inputs, targets, sampleWeights }) {
  for (const [name, { data }] of Object.entries(inputs)) model.inputs[name].set(data);
  for (const [name, { data }] of Object.entries(targets)) model.outputTargets[name].set(data);
  return sampleWeights ? { sampleWeights: Float32Array.from(sampleWeights) } : {};
}

/** Trains from the start weights; returns losses of all steps, and in evaluation after them. */
async function train(runtime, model, { optimizer: [name, options], batches, batchSize, steps }) {
  const optimizer = await createOptimizer(name, model.parameters, { runtime, ...options });
  const losses = [];
  for (let step = 0; step < steps; step++) {
    const pass = load(model, batches[step % batches.length]);
    losses.push(model.computeGradients(batchSize, pass));
    optimizer.step();
  }
  const evaluations = batches.map(
    (batch) => model.evaluateBatch(batchSize, load(model, batch)).loss,
  );
  optimizer.dispose();
  return { losses, evaluations };
}

/**
 * Trains a case.
 * @returns its twin for the peers, and its runs: one for each seed of dropout
 */
export async function trainOurs({ seeds = 1, ...each }) {
  const runtime = await createRuntime({ threads: 1 });
  try {
    const { twin, model } = await prepare(runtime, each);
    const runs = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const own = await createModel(runtime, { ...each.model, batchSize: twin.batchSize, seed });
      own.loadStateDict(model.stateDict());
      runs.push(await train(runtime, own, twin));
      own.dispose();
    }
    return { twin, runs };
  } finally {
    runtime.dispose();
  }
}
