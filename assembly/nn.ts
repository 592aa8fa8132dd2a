/** The ABI of the nn module: vector math for training. Exports, nothing else. */
export function placeholder(): void {}
