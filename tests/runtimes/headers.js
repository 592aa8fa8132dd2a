/** Sets of HTTP headers that the browser suite serves its pages with. */
const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};
const csp = (script, worker) => ({
  ...ISOLATED,
  'content-security-policy':
    `default-src 'self'; img-src data:; ` + `script-src ${script}; worker-src ${worker}`,
});

export const HEADERS = {
  plain: {},
  isolated: ISOLATED,
  // As README.md tells its readers.
  readme: {
    ...ISOLATED,
    'content-security-policy': `script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:`,
  },
  'csp-no-blob': csp(`'self' 'wasm-unsafe-eval'`, `'self'`),
  'csp-no-workers': csp(`'self' 'wasm-unsafe-eval'`, `'none'`),
  'csp-no-wasm': csp(`'self'`, `'self' blob:`),
};
