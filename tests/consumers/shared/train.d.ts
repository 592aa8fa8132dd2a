export function train(): Promise<string>;
