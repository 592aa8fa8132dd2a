/**
 * The server of the page that runs the suite. It listens on the loopback interface only, under an
 * address with a secret token. Every request must carry the token and name this server as its host;
 * a report must come from the page's own origin.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';

/** What a page asks for and tells. A page that nobody drives asks for files alone. */
export interface PageHandlers {
  /**
   * A file of the site by its name relative to the page; null or a rejection when there is none.
   */
  readonly file: (name: string) => Promise<string | Uint8Array | null>;
  /** The next job as JSON, as soon as there is one. */
  readonly job?: () => Promise<string>;
  /**
   * Takes a report and what its address asked with. Returns null, or a sentence that says why it is
   * refused.
   */
  readonly report?: (text: string, query: URLSearchParams) => string | null;
}

export interface PageServer {
  /** The address of the page's folder, which ends in a slash. */
  readonly url: string;
  close(): void;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
};

/**
 * Cross-origin isolation, without which a page has no threads; nobody else may use what is served.
 */
const HEADERS = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/**
 * A report has one entry; the largest, a run with its curves, takes less than a hundredth of this.
 */
export const MOST_REPORT_BYTES = 8 * 2 ** 20;

/** A refusal: what the answer says, and its status. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** @param port 0 for any free one */
export async function startPageServer(handlers: PageHandlers, port = 0): Promise<PageServer> {
  const token = randomBytes(24).toString('base64url');
  const server = createServer((request, response) => {
    answer(request, response, server, token, handlers).catch((error) => refuse(response, error));
  });
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', listening);
  });
  return {
    url: `http://localhost:${portOf(server)}/${token}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const [status, text] =
    error instanceof Refusal ? [error.status, error.message] : [500, 'the server failed'];
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    connection: 'close',
    ...HEADERS,
  });
  response.end(text);
}

interface Asked {
  /** Relative to the page's folder. */
  readonly name: string;
  readonly query: URLSearchParams;
}

/** What is asked for, after host and token were checked. */
function askedOf({ url, headers, method }: IncomingMessage, port: number, token: string): Asked {
  if (headers.host !== `localhost:${port}` && headers.host !== `127.0.0.1:${port}`) {
    throw new Refusal(421, 'this server is asked by another name than its own');
  }
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new Refusal(403, 'this server answers its own page alone');
  }
  const [, given, name, query] = /^\/([\w-]+)\/([^?#]*)(\?[^#]*)?$/.exec(url ?? '') ?? [];
  if (given === undefined || !sameText(given, token))
    throw new Refusal(404, 'there is nothing here');
  if (name === undefined || !/^[\w./-]+$/.test(name))
    throw new Refusal(404, 'there is no such file');
  if (method !== (name === 'report' ? 'POST' : 'GET'))
    throw new Refusal(405, 'this method is not allowed here');
  return { name, query: new URLSearchParams(query) };
}

/** Compares without telling by its time where two texts differ. */
function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  server: Server,
  token: string,
  { file, job, report }: PageHandlers,
): Promise<void> {
  const { name, query } = askedOf(request, portOf(server), token);
  if (name === 'job' && job) {
    response.writeHead(200, { 'content-type': 'application/json', ...HEADERS }).end(await job());
  } else if (name === 'report' && report) {
    const wrong = report(await bodyOf(request), query);
    if (wrong !== null) throw new Refusal(400, wrong);
    response.writeHead(204, HEADERS).end();
  } else {
    const content = await file(name).catch(() => null);
    if (content === null) throw new Refusal(404, 'there is no such file');
    const type = TYPES[extname(name)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, ...HEADERS }).end(content);
  }
}

/**
 * The text of a report, which only the page itself may send: other origins cannot send this type
 * without asking.
 */
async function bodyOf(request: IncomingMessage): Promise<string> {
  const { host, origin } = request.headers;
  if (origin !== `http://${host}`)
    throw new Refusal(403, 'reports are taken from the page of this server alone');
  if (request.headers['content-type'] !== 'application/json')
    throw new Refusal(415, 'a report must be application/json');
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MOST_REPORT_BYTES)
      throw new Refusal(413, `a report may have ${MOST_REPORT_BYTES} bytes`);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new Refusal(400, 'a report must be UTF-8');
  }
}
