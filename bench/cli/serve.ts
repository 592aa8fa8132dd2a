/** `adal-bench serve`: the page that runs the suite in a browser, from a server on this machine. */
import { createFileSource } from '../suite/runners/file-source';
import { startPageServer } from '../suite/runners/page-server';
import { createSiteFiles } from '../suite/runners/site-files';
import { findPlaces } from './places';

/** Serves the page until the process is interrupted. @param port 0 for any free one */
export async function serve(port: number): Promise<void> {
  const places = findPlaces();
  const data = createFileSource(places.data);
  const server = await startPageServer({ file: createSiteFiles(places, data) }, port);
  console.log(`${server.url}index.html\nCtrl-C ends the server.`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  server.close();
}
