/** Groups lists once, so that a report takes time in proportion to its result. */

/** The members of a list by key, in their order. */
export function groupBy<T>(list: Iterable<T>, keyOf: (member: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const member of list) {
    const key = keyOf(member);
    const group = groups.get(key);
    if (group) group.push(member);
    else groups.set(key, [member]);
  }
  return groups;
}

/** The first member of each key. */
export function firstBy<T>(list: Iterable<T>, keyOf: (member: T) => string): Map<string, T> {
  const firsts = new Map<string, T>();
  for (const member of list) {
    const key = keyOf(member);
    if (!firsts.has(key)) firsts.set(key, member);
  }
  return firsts;
}

/** The smallest value, Infinity of none. Unlike Math.min it takes lists of any length. */
export const smallest = (values: Iterable<number>): number => {
  let least = Infinity;
  for (const value of values) least = Math.min(least, value);
  return least;
};

/** The largest value, -Infinity of none. */
export const largest = (values: Iterable<number>): number => {
  let most = -Infinity;
  for (const value of values) most = Math.max(most, value);
  return most;
};

/** Names as one key, which no other names give. */
export const keyOfNames = (...names: readonly (string | number)[]): string => JSON.stringify(names);
