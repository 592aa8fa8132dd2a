/**
 * A yardstick for CPU time: fixed work of the kind that parsers do. What it takes tells how slow
 * this machine is at the moment, by its own speed and by what other programs take of its caches and
 * clock, so that a limit on CPU time can be scaled by it.
 */

/** CPU time of the yardstick on the reference machine (AMD EPYC, Node 20.20), in seconds. */
const REFERENCE_SECONDS = 0.1;
const ENTRIES = 2000;
const REPEATS = 20;
/** Tries of which the quickest counts: the first ones also compile the code. */
const TRIES = 4;

const TEXT = JSON.stringify(
  Array.from({ length: ENTRIES }, (_, i) => ({
    name: `entry ${i}`,
    kind: `k${i % 7}`,
    range: [i, i + 1],
    value: 1 / (i + 1),
    note: i % 3 === 0 ? null : 'a "quoted" note',
  })),
);

/** Parses, groups, sorts and writes the text, and walks over its characters. */
function work() {
  const entries = JSON.parse(TEXT);
  const groups = new Map();
  for (const { name, kind, range, value } of entries) {
    const group = groups.get(kind) ?? { names: {}, total: 0 };
    group.names[name] = range[1] - range[0] + value;
    group.total += group.names[name];
    groups.set(kind, group);
  }
  let sum = 0;
  for (const { names, total } of groups.values()) {
    for (const name of Object.keys(names)) sum += names[name] / total;
  }
  entries.sort((a, b) => a.value - b.value);
  const text = JSON.stringify(entries).replace(/[&"]/g, '&');
  for (let i = 0; i < text.length; i++) sum += text.charCodeAt(i) & 1;
  return sum;
}

/** Measures the yardstick; returns its CPU time in seconds, the least of a few tries. */
export function measureYardstick() {
  let least = Infinity;
  for (let i = 0; i < TRIES; i++) {
    const before = process.cpuUsage();
    let sum = 0;
    for (let repeat = 0; repeat < REPEATS; repeat++) sum += work();
    const { user, system } = process.cpuUsage(before);
    if (!(sum > 0)) throw new Error(`the yardstick expected a positive sum, got ${sum}`);
    least = Math.min(least, (user + system) / 1e6);
  }
  return least;
}

/**
 * Returns how many times slower than the reference machine this one is, by measured yardsticks; 1
 * on a faster machine.
 */
export const slownessOf = (...yardsticks) =>
  Math.max(1, ...yardsticks.map((s) => s / REFERENCE_SECONDS));
