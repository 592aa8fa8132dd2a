/** Turns of the event loop where its ways of turning are missing or lose what they are given. */
import { afterEach, expect, it, vi } from 'vitest';
import { waitAtMost, yieldToEventLoop } from '../../src/runtime/yield-to-event-loop';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it('turns by a message where there is no setImmediate', async () => {
  vi.stubGlobal('setImmediate', undefined);
  const channel = vi.fn(class extends MessageChannel {});
  vi.stubGlobal('MessageChannel', channel);
  for (let i = 0; i < 50; i++) await yieldToEventLoop();
  expect(channel).toHaveBeenCalledTimes(50);
});

it('goes on when the message is lost', async () => {
  class Deaf {
    readonly port1 = { close() {} };
    readonly port2 = { postMessage() {} };
  }
  vi.stubGlobal('setImmediate', undefined);
  vi.stubGlobal('MessageChannel', Deaf);
  let turned = false;
  setTimeout(() => (turned = true), 0);
  await yieldToEventLoop();
  expect(turned).toBe(true);
});

it('turns by a timer where the other ways only throw', async () => {
  vi.stubGlobal('setImmediate', () => {
    throw new Error('not implemented');
  });
  vi.stubGlobal('MessageChannel', undefined);
  let turned = false;
  setTimeout(() => (turned = true), 0);
  await yieldToEventLoop();
  expect(turned).toBe(true);
});

it('waitAtMost resolves with the event, or without it', async () => {
  vi.useFakeTimers();
  await waitAtMost(Promise.resolve(), 1e9);
  expect(vi.getTimerCount()).toBe(0);
  let isOver = false;
  const waiting = waitAtMost(new Promise(() => {}), 20).then(() => (isOver = true));
  await vi.advanceTimersByTimeAsync(19);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await waiting;
});
