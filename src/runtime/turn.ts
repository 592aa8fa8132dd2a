/** Lets the event loop turn once: the shortest pause that timers, input, frames and messages get through. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    try {
      const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => void };
      if (setImmediate) setImmediate(resolve);
      else postTurn(resolve);
    } catch {
      setTimeout(resolve, 0); // Vercel's edge runtime has the other two only to throw
    }
  });
}

/**
 * Resolves with `event`, or after `ms` if that is sooner. For Atomics.waitAsync, whose own time-out is not enough: neither it
 * nor a notification wakes a web worker of WebKitGTK 2.50 that has gone to sleep, but a timer of the event loop's does.
 */
export async function orAfter(event: unknown, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([event, late]);
  clearTimeout(timer);
}

/** By a message to oneself: pages make a timer wait 4 ms. A channel each time, since workerd forbids sharing one over requests. */
function postTurn(resolve: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    resolve();
  };
  port2.postMessage(null);
}
