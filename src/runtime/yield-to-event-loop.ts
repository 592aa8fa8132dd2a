/** Ways to let the event loop go on. */

/** A message to oneself takes far less; later than this it is lost. */
const LOST_MS = 50;

/**
 * Lets the event loop turn once: the shortest pause that timers, input, frames and messages get
 * through.
 */
export async function turn(): Promise<void> {
  try {
    const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => void };
    await (setImmediate ? new Promise<void>(setImmediate) : postTurn());
  } catch {
    // Vercel's edge runtime has the other two only to throw
    await orAfter(new Promise(() => {}), 0);
  }
}

/**
 * By a message to oneself: pages make a timer wait 4 ms. A channel each time, since workerd forbids
 * sharing one over requests; held meanwhile by a timer, since WebKit may collect ports that nothing
 * holds together with their message.
 */
async function postTurn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const message = new Promise((resolve) => {
    port1.onmessage = resolve;
  });
  port2.postMessage(null);
  await orAfter(message, LOST_MS);
  port1.close();
}

/**
 * Resolves with `event`, or after `ms` if that is sooner. For Atomics.waitAsync, whose own time-out
 * is not enough: neither it nor a notification wakes a web worker of WebKitGTK 2.50 that has gone
 * to sleep, but a timer of the event loop's does.
 */
export async function orAfter(event: unknown, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([event, late]);
  clearTimeout(timer);
}
