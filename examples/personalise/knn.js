/**
 * k nearest neighbours by Euclidean distance. Every prediction compares with every stored sample.
 */

/** @returns (row: Float32Array) => class, by majority; a tie goes to the class of the nearest */
export function knn({ data, dims: [count, size] }, labels, k = 3) {
  return (row) => {
    const distances = Float64Array.from({ length: count }, (_, i) => {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += (data[i * size + j] - row[j]) ** 2;
      return sum;
    });
    const nearest = Array.from(distances.keys())
      .sort((a, b) => distances[a] - distances[b])
      .slice(0, k);
    const votes = new Map();
    for (const i of nearest) votes.set(labels[i], (votes.get(labels[i]) ?? 0) + 1);
    return [...votes].reduce((best, vote) => (vote[1] > best[1] ? vote : best))[0];
  };
}
