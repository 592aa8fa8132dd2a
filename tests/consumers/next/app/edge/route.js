import { train } from '../../train.js';

export const runtime = 'edge';

/** Trains in the edge runtime, which compiles no bytes. */
export async function GET() {
  return new Response(await train());
}
