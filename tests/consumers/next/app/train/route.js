import { train } from '../../train.js';

export const dynamic = 'force-dynamic';

/** Trains on the server, in Node. */
export async function GET() {
  return new Response(await train());
}
