/**
 * The graph of relative imports between source files, and the circles in it.
 *
 * Type-only and lazy imports count: they tie files together for a reader just as static ones do.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

/** How a file imports another. */
export type ImportKind = 'static' | 'types' | 'lazy';

/** An import of one file by another; paths are absolute. */
export interface Import {
  readonly from: string;
  readonly to: string;
  readonly kind: ImportKind;
}

const SOURCE = /\.(ts|js|mjs)$/;
/** Folders of installed packages and of build output. */
const NO_SOURCES = ['node_modules', 'dist', 'build'];

/** Returns the paths of all source files below a folder, sorted. */
export function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !NO_SOURCES.includes(name) && !name.startsWith('.'))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? sourcesIn(path) : SOURCE.test(path) ? [path] : [];
    })
    .sort();
}

/** Returns the relative imports of a file that lead to source files which exist. */
export function importsOf(file: string): Import[] {
  return specifiersOf(readFileSync(file, 'utf8'), file)
    .filter(({ specifier }) => specifier.startsWith('.'))
    .flatMap(({ specifier, kind }) => {
      const to = locate(resolve(dirname(file), specifier));
      return to === null ? [] : [{ from: file, to, kind }];
    });
}

/** Returns what a text imports, as it is written there. */
export function specifiersOf(
  text: string,
  file: string,
): { specifier: string; kind: ImportKind }[] {
  const found: { specifier: string; kind: ImportKind }[] = [];
  const add = (node: ts.Node | undefined, kind: ImportKind) => {
    if (node && ts.isStringLiteralLike(node)) found.push({ specifier: node.text, kind });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, importsTypesOnly(node.importClause) ? 'types' : 'static');
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, exportsTypesOnly(node) ? 'types' : 'static');
    } else if (ts.isImportTypeNode(node)) {
      add((node.argument as ts.LiteralTypeNode).literal, 'types');
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], 'lazy');
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
  return found;
}

/**
 * Returns the circles among imports: for each group of files that reach each other, a shortest
 * circle in it. A group without a circle is not listed.
 */
export function findCircles(imports: readonly Import[]): Import[][] {
  const outgoing = new Map<string, Import[]>();
  for (const each of imports) {
    const list = outgoing.get(each.from);
    if (list) list.push(each);
    else outgoing.set(each.from, [each]);
  }
  const circles: Import[][] = [];
  const done = new Set<string>();
  for (const file of [...outgoing.keys()].sort()) {
    if (done.has(file)) continue;
    const group = groupOf(file, outgoing);
    for (const member of group) done.add(member);
    const shortest = group
      .map((member) => shortestCircle(member, outgoing))
      .filter((circle) => circle !== null)
      .sort((a, b) => a.length - b.length)[0];
    if (shortest) circles.push(shortest);
  }
  return circles;
}

/** The files that a file reaches and that reach it, itself included. */
function groupOf(file: string, outgoing: ReadonlyMap<string, Import[]>): string[] {
  const reached = reachableFrom(file, outgoing);
  return [...reached].filter((other) => other === file || reachableFrom(other, outgoing).has(file));
}

function reachableFrom(file: string, outgoing: ReadonlyMap<string, Import[]>): Set<string> {
  const reached = new Set([file]);
  for (const each of reached) for (const { to } of outgoing.get(each) ?? []) reached.add(to);
  return reached;
}

/** Breadth first, from a file back to itself; null if no path leads there. */
function shortestCircle(file: string, outgoing: ReadonlyMap<string, Import[]>): Import[] | null {
  const cameBy = new Map<string, Import>();
  const queue = [file];
  for (const each of queue) {
    for (const step of outgoing.get(each) ?? []) {
      if (cameBy.has(step.to)) continue;
      cameBy.set(step.to, step);
      if (step.to === file) return pathTo(file, cameBy);
      queue.push(step.to);
    }
  }
  return null;
}

function pathTo(file: string, cameBy: ReadonlyMap<string, Import>): Import[] {
  const path = [cameBy.get(file)!];
  while (path[0]!.from !== file) path.unshift(cameBy.get(path[0]!.from)!);
  return path;
}

function importsTypesOnly(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  if (clause.isTypeOnly) return true;
  const { name, namedBindings } = clause;
  return (
    name === undefined &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.length > 0 &&
    namedBindings.elements.every(({ isTypeOnly }) => isTypeOnly)
  );
}

function exportsTypesOnly({ isTypeOnly, exportClause }: ts.ExportDeclaration): boolean {
  if (isTypeOnly) return true;
  return (
    exportClause !== undefined &&
    ts.isNamedExports(exportClause) &&
    exportClause.elements.length > 0 &&
    exportClause.elements.every((element) => element.isTypeOnly)
  );
}

/** The source file that a path without or with an extension means; null if there is none. */
function locate(path: string): string | null {
  const candidates = [path, `${path}.ts`, `${path}.js`, path.replace(/\.js$/, '.ts')];
  candidates.push(join(path, 'index.ts'), join(path, 'index.js'));
  const isSource = (each: string) =>
    SOURCE.test(each) && existsSync(each) && statSync(each).isFile();
  return candidates.find(isSource) ?? null;
}
