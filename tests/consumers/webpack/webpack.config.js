// The package needs no configuration. Hints are off because the digits exceed webpack's asset
// limit.
export default { performance: { hints: false } };
