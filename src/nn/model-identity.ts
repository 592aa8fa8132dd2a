/**
 * The identity of a model in a stored run: everything besides arrays that its results depend on, as
 * text that two runs can compare.
 */
import type { ModelSettings } from './model';

/** Texts that two models share if they compute the same from the same arrays. */
export interface ModelIdentity {
  /** Inputs and nodes, one text each. */
  readonly nodes: readonly string[];
  /** Losses of the outputs, one text each. */
  readonly losses: readonly string[];
  /** Penalties of weights, one text each; absent without any. */
  readonly penalties?: readonly string[];
  /** Seed of dropout; absent if nothing is random. */
  readonly seed?: number;
}

/** Returns the identity of a model. */
export function identityOf({ graph, losses, penalties = [], seed }: ModelSettings): ModelIdentity {
  const { inputs, nodes, outputs } = graph;
  const nameOf = (value: number) =>
    value < inputs.length ? inputs[value].name : nodes[value - inputs.length].name;
  const isRandom = nodes.some(
    ({ layer }) => layer.kind === 'dropout' || ('dropout' in layer && (layer.dropout ?? 0) > 0),
  );
  return {
    nodes: [
      ...inputs.map(({ name, shape }) => `${name}: input ${textOf(shape)}`),
      ...nodes.map(
        (node) => `${node.name}: ${textOf(node.layer)} of ${node.inputs.map(nameOf).join(', ')}`,
      ),
    ],
    losses: outputs.map(({ name, node }, index) => {
      const { loss, weight } = losses[index];
      return `${name} (${nodes[node].name}): ${weight} × ${textOf(loss)}`;
    }),
    ...(penalties.length > 0 && {
      penalties: penalties.map(
        ({ names, l1, l2 }) => `${[...names].sort()}: ${textOf({ l1, l2 })}`,
      ),
    }),
    ...(isRandom && { seed }),
  };
}

/** Returns plain data as JSON whose keys are sorted, without those that are undefined. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
