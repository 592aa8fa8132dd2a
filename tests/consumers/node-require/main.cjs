// require() of ES modules: Node 20.19 and newer, 22.12 and newer.
const { AdaL, createRuntime } = require('adal-wasm');
const { train } = require('./train.js');

createRuntime().then(async (runtime) => {
  new AdaL(runtime, { w: new Float32Array(3) }).step();
  runtime.dispose();
  console.log(await train());
});
