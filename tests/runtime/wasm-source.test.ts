/**
 * The option `wasm`: every kind of source gives the bits of the inlined binaries; what is not the
 * right binary is refused.
 */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import version from '../../build/version.js';
import {
  AdaL,
  ArgumentError,
  createRuntime,
  type RuntimeOptions,
  type WasmSource,
} from '../../src/index';
import { createModel, dense } from '../../src/nn/index';

const at = (name: string) => new URL(`../../build/${name}.wasm`, import.meta.url);
const bytesOf = (name: string) => Uint8Array.from(readFileSync(at(name)));
const moduleOf = (name: string) => new WebAssembly.Module(bytesOf(name));

let server: Server;
let origin: string;
/** Requests by path. */
const requests: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request.url!);
    const name = /^\/(plain\/)?([a-z.]+)\.wasm$/.exec(request.url!);
    if (!name)
      return void response
        .writeHead(404, { 'content-type': 'text/html' })
        .end('<p>nothing here</p>');
    const type = name[1] ? 'application/octet-stream' : 'application/wasm';
    response.writeHead(200, { 'content-type': type }).end(bytesOf(name[2]));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

/** Parameters after three steps. */
async function train(
  options: RuntimeOptions,
): Promise<{ params: Float32Array; info: { backend: string; threadsReason: string } }> {
  const runtime = await createRuntime(options);
  try {
    const optimizer = new AdaL(runtime, { w: Float32Array.from({ length: 100 }, (_, i) => i / 7) });
    for (let step = 0; step < 3; step++) {
      optimizer.grads.w.set(optimizer.params.w);
      optimizer.step();
    }
    return { params: optimizer.params.w.slice(), info: runtime.info };
  } finally {
    runtime.dispose();
  }
}

describe('a source of optim.simd', () => {
  const sources: [string, () => WasmSource | Promise<WasmSource>][] = [
    ['a file URL', () => at('optim.simd')],
    ['a file URL as a string', () => at('optim.simd').href],
    ['an http URL', () => `${origin}/optim.simd.wasm`],
    ['an http URL of another content type', () => new URL(`${origin}/plain/optim.simd.wasm`)],
    [
      'a data URL',
      () => `data:application/wasm;base64,${Buffer.from(bytesOf('optim.simd')).toString('base64')}`,
    ],
    ['a Response', () => fetch(`${origin}/optim.simd.wasm`)],
    ['an ArrayBuffer', () => bytesOf('optim.simd').buffer],
    ['a Uint8Array', () => bytesOf('optim.simd')],
    ['a DataView', () => new DataView(bytesOf('optim.simd').buffer)],
    ['a WebAssembly.Module', () => moduleOf('optim.simd')],
  ];

  it.each(sources)('as %s gives the bits of the inlined one, on one thread', async (_, source) => {
    const own = await train({ wasm: await source() });
    expect(own.params).toEqual((await train({ backend: 'simd' })).params);
    expect(own.info).toMatchObject({
      backend: 'simd',
      threadsReason: `option "wasm" has no 'optim.threads'`,
    });
  });

  it('as a string without origin is relative to the page', async () => {
    vi.stubGlobal('location', { href: `${origin}/somewhere/` });
    await train({ wasm: '../optim.simd.wasm' });
    vi.unstubAllGlobals();
    expect(requests).toContain('/optim.simd.wasm');
  });
});

describe('sources by name', () => {
  it('give threads and nn as well', async () => {
    const wasm = { 'optim.threads': moduleOf('optim.threads'), 'nn.threads': at('nn.threads') };
    const runtime = await createRuntime({ wasm, threads: 2 });
    expect(runtime.info).toMatchObject({ backend: 'threads', threads: 2 });
    expect(await createModel(runtime, { inputSize: 2, layers: [dense(2)] })).toBeDefined();
    runtime.dispose();
  });

  it('are loaded when first needed, and what is not given comes inlined', async () => {
    const before = requests.length;
    const wasm = { 'optim.simd': `${origin}/optim.simd.wasm`, 'nn.simd': `${origin}/nn.simd.wasm` };
    const runtime = await createRuntime({ wasm });
    expect(requests.slice(before)).toEqual(['/optim.simd.wasm']);
    await createModel(runtime, { inputSize: 2, layers: [dense(2)] });
    expect(requests.slice(before)).toEqual(['/optim.simd.wasm', '/nn.simd.wasm']);
    runtime.dispose();
    const other = await createRuntime({ wasm: moduleOf('optim.simd') });
    expect(await createModel(other, { inputSize: 2, layers: [dense(2)] })).toBeDefined();
    other.dispose();
  });
});

describe('refused, naming the argument', () => {
  const expected = (name: string) =>
    `"wasm['${name}']" expected ${name}.wasm of adal-wasm ${version}, got `;
  const empty = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
  const sources: [string, unknown, string | RegExp][] = [
    [
      'a number',
      7,
      '"wasm" expected a URL, bytes, a Response or a WebAssembly.Module, or these by name, got 7',
    ],
    [
      'a list',
      [],
      '"wasm" expected a URL, bytes, a Response or a WebAssembly.Module, or these by name, got []',
    ],
    [
      'null',
      null,
      '"wasm" expected a URL, bytes, a Response or a WebAssembly.Module, or these by name, ' +
        'got null',
    ],
    [
      'an unknown name',
      { optim: at('optim.simd') },
      /"wasm\['optim'\]" expected one of optim\.simd, .* got an unknown name/,
    ],
    [
      'no source',
      { 'nn.simd': 3 },
      `"wasm['nn.simd']" expected a URL, bytes, a Response or a WebAssembly.Module, got 3`,
    ],
    [
      'another of the binaries',
      moduleOf('nn.simd'),
      `${expected('optim.simd')}nn.simd.wasm of adal-wasm ${version}`,
    ],
    ['another module', empty, `${expected('optim.simd')}another module`],
    [
      'bytes of something else',
      new Uint8Array(9),
      /expected optim\.simd\.wasm of adal-wasm .*, got Uint8Array\(9\): CompileError/,
    ],
    [
      'a file that is not there',
      new URL('file:///nowhere/x.wasm'),
      /got an instance of URL: Error: ENOENT/,
    ],
    ['a relative address without a page', './x.wasm', /got "\.\/x\.wasm": TypeError/],
  ];

  it.each(sources)('%s', async (_, wasm, message) => {
    const error = await createRuntime({ wasm: wasm as WasmSource }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toMatch(message);
  });

  it('a status that is not success', async () => {
    await expect(createRuntime({ wasm: `${origin}/none` })).rejects.toThrow(
      /Error: status 404 from http/,
    );
  });

  it('a binary of another version', async () => {
    const text = Buffer.from(bytesOf('optim.simd')).toString('latin1');
    const old = Buffer.from(
      text.replace(`adal-wasm ${version}`, `adal-wasm ${version.replace(/\d/, '8')}`),
      'latin1',
    );
    await expect(createRuntime({ wasm: Uint8Array.from(old) })).rejects.toThrow(
      /got optim\.simd\.wasm of adal-wasm 8/,
    );
  });

  it("the threads' binary, rather than a quiet fallback to one thread", async () => {
    const wasm = { 'optim.threads': moduleOf('optim.simd') };
    await expect(createRuntime({ wasm, threads: 2 })).rejects.toThrow(expected('optim.threads'));
  });
});
