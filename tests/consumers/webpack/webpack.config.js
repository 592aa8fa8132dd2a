// What webpack needs for the package: nothing. The hints are off since the digits are larger than
// its idea of an asset.
export default { performance: { hints: false } };
