/**
 * On the platforms in this folder, importing a .wasm file yields a compiled module. Other platforms
 * give such an import another meaning, or none.
 */
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}

declare module '*.wasm?module' {
  const module: WebAssembly.Module;
  export default module;
}
