/** The nn binaries export the kernels that the reference has, with the same number of arguments. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { NN_FAMILIES } from '../../build/nn-families';
import { createReferenceNN } from '../../src/runtime/reference/nn';

const SCRIPT = new URL('../../scripts/generate/nn-kernels.js', import.meta.url).href;
const { nnKernels } = (await import(SCRIPT)) as { nnKernels(root: string): string[] };

const memory = { f32: new Float32Array(16), i32: new Int32Array(16) };
const reference = Object.entries(createReferenceNN(memory)).map(
  ([name, kernel]) => [name, kernel.length] as const,
);
/** The job protocol, which is not a kernel (assembly/nn.threads.ts). */
const PROTOCOL = ['nnShared', 'nnComplete', 'nnBegin', 'nnHelp', 'nnServe'];

function exportsOf(binary: string): Record<string, unknown> {
  const shared = binary.endsWith('threads');
  const bytes = readFileSync(new URL(`../../build/${binary}.wasm`, import.meta.url));
  const imports = {
    env: { memory: new WebAssembly.Memory({ initial: 2, maximum: 65_536, shared }) },
  };
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;
}

const BINARIES = ['nn', ...NN_FAMILIES.map((family) => `nn-${family}`)];

it.each(['simd', 'threads'])('no kernel is in two %s binaries', (variant) => {
  const names = BINARIES.flatMap((name) => Object.keys(exportsOf(`${name}.${variant}`)));
  const kernels = names.filter((name) => name !== 'memory');
  expect(kernels.filter((name, index) => kernels.indexOf(name) < index)).toEqual([]);
});

describe.each(['simd', 'threads'])('%s', (variant) => {
  const exported: Record<string, unknown> = Object.assign(
    {},
    ...BINARIES.map((name) => exportsOf(`${name}.${variant}`)),
  );

  it.each(reference)('exports the kernel %s, with %i arguments', (name, length) => {
    const kernel = exported[name];
    expect(kernel, `assembly/nn exports no kernel ${name}`).toBeTypeOf('function');
    expect((kernel as () => void).length, `arguments of ${name}`).toBe(length);
  });

  it('exports no kernel without a reference', () => {
    const known = [...reference.map(([name]) => name), ...(variant === 'threads' ? PROTOCOL : [])];
    const unknown = Object.keys(exported).filter(
      (name) => name !== 'memory' && !known.includes(name),
    );
    expect(unknown, 'kernels that src/runtime/reference/nn lacks').toEqual([]);
  });
});

describe('the list of kernel files', () => {
  const root = mkdtempSync(join(tmpdir(), 'adal-kernels-'));
  const folders = ['assembly/nn', 'src/runtime/reference/nn'];
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  afterAll(() => rmSync(root, { recursive: true }));

  it.each([
    [folders, 'relu.ts'],
    [[...folders].reverse(), 'tanh.ts'],
  ])('names the file that %s lacks', ([present, absent], file) => {
    writeFileSync(join(root, present!, file), '');
    expect(() => nnKernels(root)).toThrow(`${present}/${file} has no`);
    expect(() => nnKernels(root)).toThrow(`: add ${absent}/${file}`);
    writeFileSync(join(root, absent!, file), '');
    expect(nnKernels(root)).toContain(`assembly/nn/${file}`);
  });
});
