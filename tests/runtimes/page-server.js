/**
 * A server for pages under test. It listens on loopback only, below an address with a secret token,
 * answers only requests that name it as the host, and accepts reports only from its own page.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

/** A page's report: the results of a suite, with messages of failures. */
const MOST_REPORT_BYTES = 16 * 2 ** 20;

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function bodyOf(request) {
  if (request.headers.origin !== `http://${request.headers.host}`)
    throw new Refusal(403, 'reports come from the page of this server');
  if (request.headers['content-type'] !== 'application/json')
    throw new Refusal(415, 'a report must be application/json');
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MOST_REPORT_BYTES)
      throw new Refusal(413, `a report may have ${MOST_REPORT_BYTES} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch (error) {
    throw new Refusal(400, `a report must be JSON: ${error.message}`);
  }
}

/**
 * Starts the server.
 * @param find receives a name below the server's address, made of letters, digits and ./-_ only;
 * returns { headers, content } of that file, or null
 * @param onReport receives what a page posted and returns the answer; throws for anything that is
 * not a report
 * @returns {origin, url, close}: the address ends without a slash
 */
export async function startPageServer(find, onReport) {
  const token = randomBytes(24).toString('base64url');
  async function answer(request, response) {
    const { port } = server.address();
    if (![`localhost:${port}`, `127.0.0.1:${port}`].includes(request.headers.host))
      throw new Refusal(421, 'another host is meant');
    const [, given, name] = /^\/([\w-]+)\/([\w./-]*)(?:\?|$)/.exec(request.url) ?? [];
    if (given !== token) throw new Refusal(404, 'there is nothing here');
    if (request.method === 'POST' && onReport) {
      const report = await bodyOf(request);
      let reply;
      try {
        reply = onReport(report);
      } catch (error) {
        throw new Refusal(400, `this is no report: ${error.message}`);
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
      return;
    }
    if (request.method !== 'GET') throw new Refusal(405, 'this method is not allowed');
    const found = await find(name);
    if (!found) throw new Refusal(404, 'there is no such file');
    response
      .writeHead(200, {
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        ...found.headers,
      })
      .end(found.content);
  }
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      if (response.headersSent) response.destroy();
      else
        response
          .writeHead(error.status ?? 500, { connection: 'close' })
          .end(error.status ? error.message : 'the server failed');
    });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const origin = `http://localhost:${server.address().port}`;
  return { origin, url: `${origin}/${token}`, close: () => server.close() };
}
