/** The bits of float32 numbers. */
const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** Returns the bits of a float32 as a u32. */
export function bitsOf(x: number): number {
  float[0] = x;
  return word[0];
}

/** Returns the float32 with these bits. */
export function fromBits(bits: number): number {
  word[0] = bits;
  return float[0];
}
