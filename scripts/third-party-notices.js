/**
 * Collects the notices of the packages whose code a build bundles. Their licenses (MIT, ISC, Apache
 * 2.0 …) require that every copy includes the text.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { replaceFile } from './replace-file.js';

const MODULES = `${sep}node_modules${sep}`;
const LICENSE = /^(licen[cs]e|copying|notice)([.-].*)?$/i;

/**
 * Returns the folder of the package that a module belongs to; null for the project's own modules
 * and for virtual ones.
 */
function packageOf(id) {
  const path = id.replace(/^\0/, '').replace(/\?.*$/, '');
  const from = path.lastIndexOf(MODULES);
  if (from < 0) return null;
  const [scope, name] = path.slice(from + MODULES.length).split(sep);
  return path.slice(0, from + MODULES.length) + (scope.startsWith('@') ? join(scope, name) : scope);
}

/**
 * Returns the notice of one package in Markdown.
 * @param folder folder of the package
 * @param texts folder of its license text, if different
 * @throws Error if the package has no license text, without which its code may not be shipped
 */
export function noticeOf(folder, texts = folder) {
  const { name, version, license, homepage, repository } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  const files = readdirSync(texts).filter((file) => LICENSE.test(file));
  const contents = files
    .sort()
    .map((file) => readFileSync(join(texts, file), 'utf8').trim().replace(/\r\n/g, '\n'));
  if (!contents.some((text) => text.length > 0)) {
    throw new Error(
      `${name} ${version} is bundled, but ${folder} has no license text to ship with it`,
    );
  }
  const address = homepage ?? repository?.url ?? `https://www.npmjs.com/package/${name}`;
  const quoted = contents.map((text) => `~~~\n${text}\n~~~`).join('\n\n');
  return `## ${name} ${version}\n\n${license}, ${address}\n\n${quoted}\n`;
}

/**
 * Creates the Rollup plugins.
 * @param options.file path of the notices
 * @param options.always names of packages whose code is in the build without being a module of it
 * @param options.textOf for a package without a license file, the package of the same project that
 * has it
 * @returns {{ collect: import('rollup').Plugin, write: import('rollup').Plugin }} `collect` for
 * every build, `write` for the last
 */
export function thirdPartyNotices({ file, always, textOf }) {
  const folders = new Set(always.map((name) => resolve('node_modules', name)));
  return {
    collect: {
      name: 'collect-notices',
      generateBundle(_, bundle) {
        for (const { modules = {} } of Object.values(bundle)) {
          for (const [id, { renderedLength }] of Object.entries(modules)) {
            const folder = renderedLength > 0 ? packageOf(id) : null;
            if (folder) folders.add(folder);
          }
        }
      },
    },
    write: {
      name: 'write-notices',
      writeBundle() {
        const byName = new Map(
          [...folders].map((folder) => [folder.split(MODULES).at(-1), folder]),
        );
        const textsOf = (name) => (textOf[name] ? join('node_modules', textOf[name]) : undefined);
        const notices = [...byName.keys()]
          .sort()
          .map((name) => noticeOf(byName.get(name), textsOf(name)));
        const head =
          '# Notices of packages whose code is in these files, or that served as models\n';
        replaceFile(file, [head, ...notices].join('\n'));
      },
    },
  };
}
