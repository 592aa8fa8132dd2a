/**
 * What `import module from './x.wasm'` means to the platforms here. Elsewhere it means other
 * things, or nothing.
 */
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}

declare module '*.wasm?module' {
  const module: WebAssembly.Module;
  export default module;
}
