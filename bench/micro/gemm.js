/**
 * Matrix products of the shipped nn module against a loop that only multiplies and adds in
 * registers (peak.ts), which is the most this CPU and this engine could give. Rounds are
 * interleaved, so that both see the same clock and neighbours; medians are reported.
 *
 *   node bench/micro/gemm.js [rounds] [path of a binary]
 */
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

const rounds = Number(process.argv[2] ?? 41);
const binary = process.argv[3] ?? new URL('../../build/nn.simd.wasm', import.meta.url);
const shapes = [
  [256, 256, 256],
  [64, 128, 784],
  [784, 128, 64],
  [128, 784, 64],
  [64, 784, 128],
  [512, 512, 512],
  [32, 64, 64],
  [32, 10, 64],
  [64, 10, 128],
  [13, 17, 29],
  [4, 128, 784],
  [1, 128, 784],
  [1, 10, 128],
];
const forms = ['gemmNN', 'gemmNT', 'gemmTN'];
const PEAK_FLOPS = 12 * 2 * 4 * 2; // an iteration: 12 chains, 2 links, 4 lanes, × and +
const SAMPLE_FLOPS = 4e6;

const memory = new WebAssembly.Memory({ initial: 256 });
const { instance } = await WebAssembly.instantiate(await readFile(binary), { env: { memory } });
const kernels = instance.exports;
const peakMulAdd = await compilePeak();
const values = new Float32Array(memory.buffer);
for (let i = 0; i < values.length; ++i) values[i] = ((i * 7919) % 1000) / 1000 - 0.5;

const SCRATCH = 64;
const A = 1 << 19;
const B = A + (1 << 22);
const C = B + (1 << 22);

const rows = [];
for (const [m, n, k] of shapes) {
  const flops = 2 * m * n * k;
  const calls = Math.max(1, Math.round(SAMPLE_FLOPS / flops));
  for (const form of forms) {
    const kernel = kernels[form];
    const run = () => {
      for (let i = 0; i < calls; ++i) kernel(C, A, B, m, n, k, SCRATCH);
    };
    const warm = () => kernel(C, A, B, m, n, k, SCRATCH);
    rows.push({ name: `${m}×${n}×${k}`, form, flops: flops * calls, run, warm, rates: [] });
  }
}
const iterations = Math.round(SAMPLE_FLOPS / PEAK_FLOPS);
const peak = {
  flops: iterations * PEAK_FLOPS,
  run: () => peakMulAdd(iterations),
  rates: [],
};

async function compilePeak() {
  const out = join(tmpdir(), `adal-peak-${process.pid}.wasm`);
  const options = ['-O3', '--runtime', 'stub', '--enable', 'simd', '--noAssert'];
  const { error, stderr } = await asc.main(['bench/micro/peak.ts', '-o', out, ...options]);
  if (error) throw new Error(stderr.toString());
  const { instance } = await WebAssembly.instantiate(await readFile(out));
  await rm(out);
  return instance.exports.peakMulAdd;
}

function rate({ flops, run }) {
  const start = process.hrtime.bigint();
  run();
  return flops / Number(process.hrtime.bigint() - start);
}

function median(list) {
  const sorted = [...list].sort((x, y) => x - y);
  return sorted[sorted.length >> 1];
}

for (let i = 0; i < 5; ++i) for (const row of [peak, ...rows]) row.run();
for (let round = 0; round < rounds; ++round) {
  for (const row of rows) {
    // The yardstick before every measurement, so that a busy second does not hit one of them alone.
    peak.rates.push(rate(peak));
    row.warm();
    row.rates.push(rate(row));
  }
}

const best = median(peak.rates);
console.log(
  `${process.release.name} ${process.version}, ${process.arch}: peak ${best.toFixed(1)} GFLOP/s, ${rounds} rounds`,
);
console.log(
  `${'m×n×k'.padEnd(14)} ${forms.map((form) => `${form} GFLOP/s    %`.padStart(20)).join('')}`,
);
for (let i = 0; i < rows.length; i += forms.length) {
  const cells = rows.slice(i, i + forms.length).map((row) => {
    const value = median(row.rates);
    return `${value.toFixed(1).padStart(14)} ${((100 * value) / best).toFixed(0).padStart(5)}`;
  });
  console.log(`${rows[i].name.padEnd(14)} ${cells.join('')}`);
}
