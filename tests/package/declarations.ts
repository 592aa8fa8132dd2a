/** The built declarations as an editor and a compiler see them, by TypeScript's API. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

export const ROOT = resolve(import.meta.dirname, '../..');

const { exports: map } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { types: string }>;
};

/** The entries with types: by what one imports, the file that declares it. */
export const ENTRIES: ReadonlyMap<string, string> = new Map(
  Object.entries(map).flatMap(([path, target]) =>
    typeof target === 'object'
      ? [[path.replace('.', 'adal-wasm'), resolve(ROOT, target.types)] as const]
      : [],
  ),
);

const STRICT: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: false,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts'],
  types: [],
};
const { NodeNext, ESNext } = ts.ModuleKind;
/** By name: how others compile. None has the DOM or the types of Node. */
export const SETTINGS: Readonly<Record<'nodenext' | 'bundler', ts.CompilerOptions>> = {
  nodenext: { ...STRICT, module: NodeNext },
  bundler: {
    ...STRICT,
    module: ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  },
};

/**
 * A program of the given sources, which lie beside package.json, so that `adal-wasm` means the
 * build under test. Nothing is written.
 */
export function createProgram(
  sources: Readonly<Record<string, string>>,
  options: ts.CompilerOptions = SETTINGS.nodenext,
): ts.Program {
  const texts = new Map(
    Object.entries(sources).map(([name, text]) => [resolve(ROOT, name), text] as const),
  );
  const host = ts.createCompilerHost(options, true);
  const { fileExists, readFile } = host;
  host.fileExists = (file) => texts.has(resolve(file)) || fileExists(file);
  host.readFile = (file) => texts.get(resolve(file)) ?? readFile(file);
  host.getCurrentDirectory = () => ROOT;
  return ts.createProgram([...texts.keys()], options, host);
}

/** All errors of a program, each as `file:line: message`. */
export function errorsOf(program: ts.Program): string[] {
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, ' ');
    if (!file) return text;
    const { line } = file.getLineAndCharacterOfPosition(start ?? 0);
    return `${file.fileName.slice(ROOT.length + 1)}:${line + 1}: ${text}`;
  });
}

/** A program that imports every entry, and the module of each. */
export function loadDeclarations(): {
  checker: ts.TypeChecker;
  program: ts.Program;
  entries: ReadonlyMap<string, readonly ts.Symbol[]>;
} {
  const imports = [...ENTRIES.keys()].map((name, i) => `export * as e${i} from '${name}';`);
  const program = createProgram({ 'all-entries.ts': imports.join('\n') });
  const checker = program.getTypeChecker();
  const entries = [...ENTRIES].map(([name, file]) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file)!)!;
    return [name, checker.getExportsOfModule(module)] as const;
  });
  return { checker, program, entries: new Map(entries) };
}

/** What an export is, where it is declared. */
export function resolveAlias(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** The members that completion offers on an instance of a class, an interface or a type. */
export function membersOf(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol[] {
  const { flags } = symbol;
  if (!(flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)))
    return [];
  return checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)).filter((member) => {
    const [declaration] = member.declarations ?? [];
    if (!declaration) return true;
    const name = ts.getNameOfDeclaration(declaration);
    if (name && ts.isPrivateIdentifier(name)) return false;
    const modifiers = ts.getCombinedModifierFlags(declaration);
    return !(modifiers & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected));
  });
}
