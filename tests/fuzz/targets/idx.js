/**
 * IDX files: headers that lie, elements that are missing or too many, images and labels that do not
 * fit.
 */
import { idxDataset, parseIdx } from '../../../dist/node/data.js';
import { Random } from '../prng.js';

export const runs = 200_000;

const BYTES = { 8: 1, 9: 1, 11: 2, 12: 4, 13: 4, 14: 8 };
const SIZES = [0, 1, 2, 255, 256, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

function header(type, shape, bytes = 0) {
  const file = new Uint8Array(4 + 4 * shape.length + bytes);
  const view = new DataView(file.buffer);
  view.setUint8(2, type);
  view.setUint8(3, shape.length);
  for (const [i, size] of shape.entries()) view.setUint32(4 + 4 * i, size);
  return file;
}

export function create(prng) {
  const random = new Random(prng);
  const type = random.pick([8, 8, 8, 8, 8, 8, 9, 11, 12, 13, 14]);
  const shape = Array.from({ length: 1 + random.below(4) }, () =>
    random.pick([0, 1, 2, 3, 4, 5, 6, 7]),
  );
  const count = shape.reduce((product, size) => product * size, 1);
  const file = header(type, shape, count * BYTES[type]);
  for (let i = 4 + 4 * shape.length; i < file.length; i++)
    file[i] = random.below(random.pick([10, 256]));
  const view = new DataView(file.buffer);
  for (let damage = random.below(5) - 2; damage > 0; damage--) {
    if (random.below(2) === 0)
      view.setUint32(4 + 4 * random.below(shape.length), random.pick(SIZES));
    else
      file[random.below(random.pick([4, file.length]))] = random.pick([
        0,
        1,
        8,
        14,
        31,
        139,
        255,
        random.below(256),
      ]);
  }
  if (random.below(6) > 0) return file;
  const length = random.below(file.length + 8);
  const cut = new Uint8Array(length);
  cut.set(file.subarray(0, length));
  return cut;
}

export function attempt(bytes) {
  const images = parseIdx(bytes, 'images');
  const count = images.shape[0];
  if (images.data.length !== images.shape.reduce((product, size) => product * size, 1))
    throw new Error('not as many elements as sizes say');
  const labels = parseIdx(header(8, [count], Math.min(count, bytes.length)), 'labels');
  const options = { name: 'both', classCount: 10 };
  const { features } = idxDataset(images, labels, options);
  if (features.length !== images.data.length || !features.every((x) => x >= 0 && x <= 1))
    throw new Error('pixels out of range');
  // The same file as labels: its bytes are classes only where they are below classCount.
  idxDataset(images, images.shape.length === 1 ? images : labels, options);
}

/** @returns {[string, Uint8Array][]} */
export function large(size) {
  return [
    ['bytes', header(8, [size], size)],
    ['images', header(8, [Math.floor(size / 16), 4, 4], 16 * Math.floor(size / 16))],
    ['doubles', header(14, [Math.floor(size / 8)], 8 * Math.floor(size / 8))],
    ['16-bit integers', header(11, [Math.floor(size / 2)], 2 * Math.floor(size / 2))],
    ['sizes beyond the file', header(14, [2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], size)],
    ['trailing bytes', header(8, [1], size)],
    ['255 dimensions', header(8, new Array(255).fill(1), size)],
  ];
}
