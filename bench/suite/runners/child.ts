/** Node, Deno and Bun: jobs as lines of JSON on stdin, entries as lines on stdout. */
import { createInterface } from 'node:readline';
import { Executor, type Job } from '../executor';
import { createFileSource } from './file-source';

const [dataFolder] = process.argv.slice(2);
const executor = new Executor(createFileSource(new URL(dataFolder)));
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
