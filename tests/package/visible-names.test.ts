/**
 * What completion shows: the exported names of every entry and the members of its types, and none
 * of the library's insides among them. The counts are printed in every run.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { ENTRIES, loadDeclarations, membersOf, ROOT, resolveAlias } from './declarations';

const { checker, entries } = loadDeclarations();

/** Names of members and types that belong to the library alone. */
const INTERNAL = new RegExp(
  `^(${[
    ...['\\w*[kK]ernels', 'arena', 'address', 'nn', 'memory', 'paddedLength', 'pool', 'workers'],
    ...['registered', 'owner', 'table', 'scalars', 'control', 'minimum', 'runningStatistics'],
    ...['setCallbacks', 'checkOwner', 'checkAccess', 'beginStep', 'endStep', 'adoptRuntime'],
    ...['copyGradients', 'evaluateAt', 'heldByTraining', 'hyperparameters', 'assign'],
    ...[
      'Arena',
      'LinearMemory',
      'RegisteredParameter',
      'StepTable',
      'StepScalars',
      'TableOptions',
      'TableEntry',
    ],
    ...['Counters', 'RuleDescription', 'RegisteredParameter', 'ParameterOwner', 'WorkerInput'],
  ].join('|')})$`,
);
/** `memory()` of optimizers and models is for everybody; the runtime's linear memory is not. */
const isInternal = ({ name, flags }: ts.Symbol): boolean =>
  INTERNAL.test(name) && !(name === 'memory' && flags & ts.SymbolFlags.Method);

const shown = [...entries].flatMap(([entry, exported]) =>
  exported.map((symbol) => ({
    entry,
    name: symbol.name,
    members: membersOf(checker, resolveAlias(checker, symbol)),
  })),
);

it('has every entry, and prints what it shows', () => {
  expect([...entries.keys()].sort()).toEqual([...ENTRIES.keys()].sort());
  const members = shown.reduce((sum, { members }) => sum + members.length, 0);
  console.log(`${shown.length} exported names with ${members} members in ${entries.size} entries`);
});

describe.each([...entries.keys()])('%s', (entry) => {
  const own = shown.filter((item) => item.entry === entry);

  it('exports no name of the insides', () => {
    expect(own.map(({ name }) => name).filter((name) => INTERNAL.test(name))).toEqual([]);
  });

  it('has no member of the insides', () => {
    const found = own.flatMap(({ name, members }) =>
      members.filter(isInternal).map((member) => `${name}.${member.name}`),
    );
    expect(found).toEqual([]);
  });

  it('exports as values what its JavaScript exports, and no more', async () => {
    const file = ENTRIES.get(entry)!.replace(/dist\/(.*)\.d\.ts$/, 'dist/node/$1.js');
    const values = entries.get(entry)!.filter((symbol) => {
      const isTypeOnly = symbol.declarations?.some(
        (node) => ts.isExportSpecifier(node) && (node.isTypeOnly || node.parent.parent.isTypeOnly),
      );
      return !isTypeOnly && resolveAlias(checker, symbol).flags & ts.SymbolFlags.Value;
    });
    const exported = Object.keys(await import(file));
    expect(values.map(({ name }) => name).sort()).toEqual(exported.sort());
  });
});

/** Members of the classes that others meet first: a change here is a change of the library. */
describe('an instance', () => {
  const namesOf = (entry: string, name: string) =>
    shown
      .find((item) => item.entry === entry && item.name === name)
      ?.members.map((member) => member.name)
      .sort();

  it('of Runtime has its state, and the way to end it', () => {
    expect(namesOf('adal-wasm', 'Runtime')).toEqual(['dispose', 'disposed', 'info']);
  });

  it('of Tensor has its elements', () => {
    const names = ['byteLength', 'data', 'disposed', 'length', 'shape'];
    expect(namesOf('adal-wasm', 'Tensor')).toEqual(names);
  });

  it('of Parameter has its value and gradient', () => {
    const names = ['disposed', 'evaluationValue', 'grad', 'sparse', 'value'];
    expect(namesOf('adal-wasm', 'Parameter')).toEqual(names);
  });
});

it('leaves no mark of what was stripped', () => {
  for (const file of ENTRIES.values())
    expect(readFileSync(file, 'utf8')).not.toContain('@internal');
  expect(readFileSync(join(ROOT, 'dist/index.d.ts'), 'utf8')).not.toBe('');
});

/** The comment of the first entry's export of that name. */
const commentOf = (name: string): string => {
  const found = [...entries.values()].flat().find((symbol) => symbol.name === name)!;
  return ts.displayPartsToString(resolveAlias(checker, found).getDocumentationComment(checker));
};

const CLASSES = ['Optimizer', 'Runtime', 'Tensor', 'Parameter', 'ParamGroup', 'StateDict', 'Model'];
it.each(CLASSES)('%s has a comment of its own', (name) =>
  expect(commentOf(name).length).toBeGreaterThan(60),
);
