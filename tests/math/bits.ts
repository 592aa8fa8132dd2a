/** Bit patterns and distances of f64 numbers, for expectations that must hold on every engine. */
const view = new DataView(new ArrayBuffer(8));

/** The 64 bits of x as 16 hexadecimal digits. */
export function bits(x: number): string {
  view.setFloat64(0, x);
  return view.getBigUint64(0).toString(16).padStart(16, '0');
}

/** How many f64 numbers lie between a and b: 0 for equal numbers. Both finite. */
export function ulpsApart(a: number, b: number): number {
  const ordered = (x: number) => {
    view.setFloat64(0, x);
    const i = view.getBigInt64(0);
    return i < 0n ? -(i & 0x7fffffffffffffffn) : i;
  };
  const d = ordered(a) - ordered(b);
  return Number(d < 0n ? -d : d);
}
