/**
 * npm run test:parity [-- <part of a name>…]
 *
 * Trains every case of cases.js here and in the peers that have it, TensorFlow.js and PyTorch: the
 * same start weights and batches in the same order. The loss of each step, and that of each batch
 * in evaluation after the last, may differ by 1e-5 of itself. With dropout, the mean of our final
 * losses over 20 seeds has to lie in the 95% interval of the peer's mean. Exits 1 if a case
 * differs, if no case of a peer has some layer, loss or optimizer that the peer has, or if there is
 * no peer here.
 *
 * TensorFlow.js is installed into build/parity/ at the first run; PyTorch is that of
 * /usr/bin/python3 (Debian's python3-torch, which is installed where apt-get may). A peer that
 * cannot be had is skipped, and counts nothing.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { optimizerNames } from 'adal-wasm';
import { crossEntropy, dense, describeModel } from 'adal-wasm/nn';
import { CASES, DROPOUT_CASES, WITHOUT_TWIN } from './cases.js';
import { trainOurs } from './ours.js';
import { openTensorFlow, openTorch } from './peers.js';

const TOLERANCE = 1e-5;
/** The least by which the loss of a batch has to move over a case. */
const LEAST_MOVE = 1e-3;
/** Student's t of 19 degrees of freedom, two-sided 95%. */
const T_95 = 2.093;
/** Steps at the end whose mean is the final loss of a run with dropout: each batch once. */
const FINAL_STEPS = 4;

/** Compares single runs: the largest relative difference, and what is wrong or null. */
function compareLosses([own], [other]) {
  let largest = 0;
  let fault = null;
  for (const list of ['losses', 'evaluations']) {
    for (const [at, value] of own[list].entries()) {
      const difference = Math.abs(value - other[list][at]) / Math.abs(value);
      if (difference <= largest) continue;
      largest = difference;
      const size = difference.toExponential(1);
      if (!(difference <= TOLERANCE))
        fault ??= `${list}[${at}]: ${value} here, ${other[list][at]} there: ${size}`;
    }
  }
  const [first] = own.losses;
  const moved = Math.abs(own.evaluations[0] - first) / Math.abs(first);
  if (moved < LEAST_MOVE) fault ??= `the loss moves by ${moved.toExponential(1)} only`;
  return { largest, fault };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Compares the means of final losses over seeds. */
function compareMeans(own, other) {
  const finals = (runs) => runs.map(({ losses }) => mean(losses.slice(-FINAL_STEPS)));
  const [ours, theirs] = [finals(own), finals(other)];
  const [here, there] = [mean(ours), mean(theirs)];
  const variance = theirs.reduce((sum, x) => sum + (x - there) ** 2, 0) / (theirs.length - 1);
  const half = T_95 * Math.sqrt(variance / theirs.length);
  const text = `${here.toFixed(4)} here, ${there.toFixed(4)} ± ${half.toFixed(4)} there`;
  return { text, fault: Math.abs(here - there) <= half ? null : text };
}

/** Reads the list of kinds from the error that a wrong kind causes. */
function kindsIn(options) {
  try {
    describeModel({ inputSize: 2, layers: [dense(2)], ...options });
  } catch (error) {
    const [, list] = /\(([\w, ]+)\), got/.exec(error.message) ?? [];
    if (list) return list.split(', ');
    throw error;
  }
}

const LISTED = {
  layers: kindsIn({ layers: [{ kind: 'none' }] }),
  losses: kindsIn({ loss: { kind: 'none' } }),
  optimizers: [...optimizerNames()],
};

const isFor = (peer, { only = null }) => only === null || only === peer;

/** Returns what is in no case of a peer that has it, or in a case of one that has none. */
function findGaps(peer) {
  const seen = { layers: new Set(), losses: new Set(), optimizers: new Set() };
  for (const each of CASES.filter((one) => isFor(peer, one))) {
    const { layers, nodes = [], loss } = each.model;
    for (const { kind } of layers ?? nodes.map(({ layer }) => layer)) seen.layers.add(kind);
    const losses = loss?.kind ? [loss] : Object.values(loss ?? { output: crossEntropy() });
    for (const { kind } of losses) seen.losses.add(kind);
    seen.optimizers.add(each.optimizer[0]);
  }
  return Object.entries(LISTED).flatMap(([what, names]) =>
    names
      .filter((name) => seen[what].has(name) === Object.hasOwn(WITHOUT_TWIN[peer][what], name))
      .map((name) => `${what}: ${name}`),
  );
}

const start = performance.now();
const wanted = process.argv.slice(2);
const isWanted = ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part));
const outcomes = [];
const cases = [];
for (const each of [...CASES, ...DROPOUT_CASES].filter(isWanted)) {
  try {
    cases.push({ ...each, ...(await trainOurs(each)) });
  } catch (error) {
    outcomes.push({ title: 'adal-wasm', name: each.name, fault: error.stack });
  }
}

const peers = {
  tfjs: { title: 'TensorFlow.js', ...(await openTensorFlow()) },
  torch: { title: 'PyTorch', ...openTorch() },
};
await Promise.all(
  Object.entries(peers).map(([peer, { title, missing, train }]) => {
    if (missing) return null;
    const own = cases.filter((each) => isFor(peer, each));
    const byName = new Map(own.map((each) => [each.name, each]));
    return train(own, ({ name, runs, error, skipped }) => {
      const { runs: ours, seeds } = byName.get(name);
      const compare = seeds ? compareMeans : compareLosses;
      const result = error ? { fault: error } : skipped ? { skipped } : compare(ours, runs);
      outcomes.push({ title, name, ...result });
    });
  }),
);
for (const [peer, { title, missing }] of Object.entries(peers)) {
  if (missing || wanted.length > 0) continue;
  const gaps = findGaps(peer);
  const fault = gaps.length > 0 ? gaps.join(', ') : null;
  outcomes.push({ title, name: 'every layer, loss and optimizer that it has is in a case', fault });
}

for (const { title, name, fault, skipped, text } of outcomes) {
  if (fault) console.log(`FAILED ${title}, ${name}: ${fault}`);
  else if (skipped) console.log(`skipped ${title}, ${name}: ${skipped}`);
  else if (text) console.log(`${title}, ${name}: ${text}`);
}
const isPassed = ({ fault, skipped }) => !fault && !skipped;
const isFailed = ({ fault }) => Boolean(fault);
console.log('\n| peer | cases | failed | largest relative difference | in |');
console.log('|---|--:|--:|--:|---|');
for (const { title, version, missing } of Object.values(peers)) {
  const own = outcomes.filter((each) => each.title === title && !each.skipped);
  const worst = own.reduce((a, b) => (b.largest > a.largest ? b : a), { largest: 0, name: '' });
  const cells = missing
    ? [`${title}: skipped, ${missing}`, '', '', '', '']
    : [
        `${title} ${version}`,
        own.length,
        own.filter(isFailed).length,
        worst.largest.toExponential(1),
        worst.name,
      ];
  console.log(`| ${cells.join(' | ')} |`);
}
const [passed, failed] = [isPassed, isFailed].map((test) => outcomes.filter(test).length);
const seconds = Math.round((performance.now() - start) / 1000);
console.log(`\nparity: ${passed} passed, ${failed} failed (${seconds} s)`);
const folder = process.env.ADAL_RESULTS;
if (folder) {
  mkdirSync(folder, { recursive: true });
  const counts = { numPassedTests: passed, numFailedTests: failed, numFailedTestSuites: 0 };
  writeFileSync(join(folder, 'parity.json'), JSON.stringify(counts));
}
if (failed > 0 || passed === 0) process.exitCode = 1;
