/** Lets the event loop turn once: the shortest pause that timers, input, frames and messages get through. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (postImmediate(resolve)) return;
    if (typeof MessageChannel === 'function') postTurn(resolve);
    else setTimeout(resolve, 0);
  });
}

/** Node's way; false where there is none. Vercel's edge runtime has one that throws. */
function postImmediate(resolve: () => void): boolean {
  try {
    const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => void };
    setImmediate?.(resolve);
    return setImmediate !== undefined;
  } catch {
    return false;
  }
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
