/**
 * The program that Node, Deno and Bun run: it reads jobs as lines of JSON from stdin and writes
 * entries as lines to stdout.
 */
import { createInterface } from 'node:readline';
import { Executor } from '../executor';
import { loadExtensions } from '../extensions';
import type { Job } from '../job';
import type { PeerModule } from '../micro/contenders';
import { register } from '../registry';
import { createFileSource } from './file-source';

const [dataFolder, peersFolder, ...extensions] = process.argv.slice(2);
for (const href of extensions) register(await loadExtensions(href));
const loadPeer = (file: string): Promise<PeerModule> =>
  import(/* @vite-ignore */ new URL(file, peersFolder).href);
const executor = new Executor({ data: createFileSource(new URL(dataFolder)), loadPeer });
const say = (message: object): boolean => process.stdout.write(`${JSON.stringify(message)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  try {
    await executor.execute(JSON.parse(line) as Job, (entry) => say({ entry }));
    say({ done: true });
  } catch (error) {
    say({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}
process.exit(0);
