/** Reads files of one folder and refuses all others, because pages and Workers choose the names. */
import { readFile, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Names of files and folders joined by slashes; none begins with a dot, and nothing is encoded. */
const PLAIN_PATH = /^[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/;

/**
 * The path of a file in `folder`, after links were followed.
 * @param folder a path or a file: URL
 * @param name relative, of plain names; an absolute path, an address, an encoded name and `..` name
 * nothing
 * @throws Error when the folder has no such file, or the name is a link that leads out of it
 */
export async function pathWithin(folder: string | URL, name: string): Promise<string> {
  if (!PLAIN_PATH.test(name)) throw new Error(`${JSON.stringify(name)} is not the name of a file`);
  const root = await realpath(typeof folder === 'string' ? folder : fileURLToPath(folder));
  const path = await realpath(join(root, name));
  if (!path.startsWith(root + sep)) throw new Error(`${name} lies outside of its folder`);
  return path;
}

/** The bytes of a file in `folder`. @throws Error as `pathWithin` does */
export async function readWithin(folder: string | URL, name: string): Promise<Uint8Array> {
  return readFile(await pathWithin(folder, name));
}
