/** The other commands: demo, doctor, version and help. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { adal, readRun, temporaryFolder } from './cli';

describe('adal', () => {
  const cwd = temporaryFolder();

  test('demo trains both presets, compares them, and may be run again', async () => {
    for (let time = 0; time < 2; time++) {
      const { code, stdout } = await adal(['demo'], cwd);
      expect(code).toBe(0);
      const [restated, practical] = ['restated', 'practical'].map((preset) =>
        readRun(join(cwd, `runs/demo-${preset}`)),
      );
      expect(restated).toMatchObject({
        command: 'demo',
        options: { preset: 'restated' },
        result: { aborted: false },
      });
      expect(practical.result.testAccuracy).toBeGreaterThan(0.95);
      expect(stdout).toMatch(/^ +restated +practical$/m);
      const hashes = [restated, practical].map(({ parameterHash }) => parameterHash.slice(0, 16));
      expect(stdout).toMatch(new RegExp(`^hash of weights +${hashes[0]} +${hashes[1]}$`, 'm'));
      expect(stdout).toContain('1 thread (4,810 parameters: threads pay off from 65,536)');
    }
  });

  test('doctor finds that all backends agree', async () => {
    const { code, stdout, stderr } = await adal(['doctor'], cwd);
    expect([code, stderr]).toEqual([0, '']);
    for (const row of [
      'runtime',
      'CPU quota',
      'SIMD',
      'shared memory',
      'worker threads',
      'Atomics.waitAsync',
      'memory',
    ]) {
      expect(stdout).toMatch(new RegExp(`^${row} {2,}\\S`, 'm'));
    }
    expect(stdout).toContain('All 4 backends that run here agree in every bit.');
  });

  test('prints its version and help', async () => {
    const { version } = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    );
    expect(await adal(['--version'], cwd)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    for (const args of [
      ['--help'],
      ['train', '--help'],
      ['demo', '--help'],
      ['doctor', '--help'],
    ]) {
      const { code, stdout } = await adal(args, cwd);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Usage: adal/);
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    }
  });

  test('says what is wrong with a command', async () => {
    expect(await adal(['bogus'], cwd)).toEqual({
      code: 2,
      stdout: '',
      stderr: "adal: unknown command 'bogus'\n",
    });
    expect(await adal([], cwd)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^Usage: adal/),
    });
  });
});
