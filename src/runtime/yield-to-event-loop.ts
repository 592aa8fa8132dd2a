/** Yields to the event loop, on every platform. */

/** Milliseconds after which a message to this thread counts as lost; it usually takes far less. */
const LOST_MS = 50;

/**
 * Resolves after one turn of the event loop: the shortest pause in which timers, input, frames and
 * messages are handled.
 */
export async function yieldToEventLoop(): Promise<void> {
  try {
    const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => void };
    await (setImmediate ? new Promise<void>(setImmediate) : postMessageToSelf());
  } catch {
    // Vercel's edge runtime defines setImmediate and MessageChannel, and both throw.
    await waitAtMost(new Promise(() => {}), 0);
  }
}

/**
 * Posts a message to this thread and resolves when it arrives; a timer would wait 4 ms on a page.
 * Each call opens a channel of its own, since workerd forbids sharing one between requests. A timer
 * keeps the channel alive meanwhile, since WebKit may collect unreferenced ports with their
 * message.
 */
async function postMessageToSelf(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const message = new Promise((resolve) => {
    port1.onmessage = resolve;
  });
  port2.postMessage(null);
  await waitAtMost(message, LOST_MS);
  port1.close();
}

/**
 * Resolves when `event` does, or after `ms` milliseconds if that is sooner. Atomics.waitAsync needs
 * it in spite of its own time-out: neither that nor a notification wakes a sleeping web worker of
 * WebKitGTK 2.50, but a timer does.
 */
export async function waitAtMost(event: unknown, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([event, late]);
  clearTimeout(timer);
}
