/**
 * Builds the single benchmarks into bench/dist/tools/, and the peers' modules into
 * bench/peers/dist/, from where they find the packages that are installed in bench/peers/.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import commonjs from '@rollup/plugin-commonjs';
import resolve from '@rollup/plugin-node-resolve';
import asc from 'assemblyscript/asc';

const inBench = (path) => join(import.meta.dirname, path);
const TOOLS = inBench('dist/tools');
const PEERS = inBench('peers/dist');

const tools = {
  step: inBench('micro/step.ts'),
  optimizers: inBench('micro/optimizers.ts'),
  gemm: inBench('micro/gemm.ts'),
  'cold-start': inBench('micro/cold-start.ts'),
  'first-step': inBench('micro/first-step.ts'),
  train: inBench('train/main.ts'),
  'train-contender': inBench('train/contender-process.ts'),
  'default-rate': inBench('default-rate.ts'),
  readme: inBench('readme/main.ts'),
};
const peers = {
  jax: inBench('peers/jax.ts'),
  tensorflow: inBench('peers/tensorflow.ts'),
  'training-jax': inBench('peers/training-jax.ts'),
  'training-tensorflow': inBench('peers/training-tensorflow.ts'),
};

/** Compiles the yardsticks beside the modules that load them. */
const yardsticks = {
  name: 'yardsticks',
  async generateBundle() {
    const source = inBench('micro/assembly/yardsticks.ts');
    const flags = ['-O3', '--runtime', 'stub', '--enable', 'simd', '--importMemory', '--noAssert'];
    let binary;
    const writeFile = (_, content) => {
      binary = content;
    };
    const args = [source, '--baseDir', '/', '--outFile', 'yardsticks.wasm', ...flags];
    const { error, stderr } = await asc.main(args, { writeFile });
    if (error) throw new Error(`asc failed on ${source}: ${stderr}`);
    this.emitFile({ type: 'asset', fileName: 'yardsticks.wasm', source: binary });
  },
};

/** Removes the output of an earlier build. */
const clean = (folder) => ({
  name: 'clean-tools',
  buildStart: () => rmSync(folder, { recursive: true, force: true }),
});

/**
 * Returns the builds.
 * @param plugins what the repository's other builds compile with: `compile()`, `json`, …
 */
export const toolBuilds = (plugins) => [
  {
    input: tools,
    external: [/^node:/, /^adal-wasm(\/|$)/, 'rollup', /^@rollup\//],
    output: { dir: TOOLS, format: 'es', chunkFileNames: '[name]-[hash].js' },
    plugins: [clean(TOOLS), resolve({ preferBuiltins: true }), commonjs(), ...plugins, yardsticks],
  },
  {
    input: peers,
    external: [/^node:/, /^@tensorflow\//, /^@jax-js\//],
    output: { dir: PEERS, format: 'es', chunkFileNames: '[name]-[hash].js' },
    plugins: [clean(PEERS), resolve(), ...plugins],
  },
];
