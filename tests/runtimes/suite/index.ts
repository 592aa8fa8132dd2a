/** The portable suite. Bundled, it is one ES module without imports, the same on every runtime. */
import type { RuntimeInfo } from '../../../src/index';
import { check, checkEqual, type Failure, Recorder } from './checks';
import { type Configuration, createFor } from './configuration';
import { OPTIMIZERS_FINGERPRINT, runOptimizers } from './fingerprint';
import { testGolden } from './golden';
import { testNetworks } from './networks';
import { testProperties } from './properties';
import { join, sha256 } from './state';
import { trainDigits } from './training';

export * as adal from '../../../src/index';
export { longestFrameGap, prepareTraining, testFallbacks } from './browser';
export { measureLifetimes } from './lifetime';

/** The report of one cell of the matrix. */
export interface Report {
  readonly configuration: Configuration;
  readonly passed: number;
  readonly failures: readonly Failure[];
  readonly fingerprint: string | null;
  readonly info: RuntimeInfo | null;
  readonly elapsedMs: number;
}

/**
 * Runs all tests in one configuration.
 * @param expectedBackend the backend that the runtime must choose; null accepts any
 */
export async function runSuite(
  configuration: Configuration,
  expectedBackend: string | null,
): Promise<Report> {
  const begin = Date.now();
  const recorder = new Recorder();
  let fingerprint: string | null = null;
  let info: RuntimeInfo | null = null;
  await recorder.test('the runtime', async () => {
    const runtime = await createFor(configuration);
    info = runtime.info;
    await recorder.test('is what was asked for', () => {
      if (expectedBackend) checkEqual(runtime.info.backend, expectedBackend, 'backend');
      if (typeof configuration === 'number')
        checkEqual(runtime.info.threads, configuration, 'threads');
      check(runtime.info.threadsReason !== '', 'a reason for the number of threads');
    });
    await testGolden(recorder, runtime);
    await testProperties(recorder, runtime);
    const networks = await testNetworks(recorder, runtime);
    await recorder.test('fingerprint', async () => {
      const parts = await runOptimizers(runtime);
      parts.push(await trainDigits(runtime));
      fingerprint = await sha256(join([...parts, ...networks]));
      checkEqual(await sha256(join(parts)), OPTIMIZERS_FINGERPRINT, 'that of the optimizers');
    });
    await recorder.test('all threads have lived through it', () => {
      if (typeof configuration === 'number')
        checkEqual(runtime.info.threads, configuration, 'threads');
    });
    runtime.dispose();
  });
  const { passed, failures } = recorder;
  return { configuration, passed, failures, fingerprint, info, elapsedMs: Date.now() - begin };
}
