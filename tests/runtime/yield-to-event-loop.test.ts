/** Turns of the event loop where its ways of turning are missing or lose what they are given. */
import { afterEach, expect, it, vi } from 'vitest';
import { orAfter, turn } from '../../src/runtime/yield-to-event-loop';

afterEach(() => vi.unstubAllGlobals());

it('turns by a message where there is no setImmediate', async () => {
  vi.stubGlobal('setImmediate', undefined);
  const channel = vi.fn(class extends MessageChannel {});
  vi.stubGlobal('MessageChannel', channel);
  for (let i = 0; i < 50; i++) await turn();
  expect(channel).toHaveBeenCalledTimes(50);
});

it('goes on when the message is lost', async () => {
  class Deaf {
    readonly port1 = { close() {} };
    readonly port2 = { postMessage() {} };
  }
  vi.stubGlobal('setImmediate', undefined);
  vi.stubGlobal('MessageChannel', Deaf);
  await turn();
});

it('turns by a timer where the other ways only throw', async () => {
  vi.stubGlobal('setImmediate', undefined);
  vi.stubGlobal('MessageChannel', undefined);
  await turn();
});

it('orAfter resolves with the event, or without it', async () => {
  await orAfter(Promise.resolve(), 1e9);
  await orAfter(new Promise(() => {}), 1);
});
