import { defineConfig } from 'vitest/config';

/** Project `unit` is part of `npm test`; `.ci/run` also runs project `slow`. */
export default defineConfig({
  test: {
    pool: 'forks',
    // Two cores are what a CI machine has; Vitest would leave one of them idle.
    maxWorkers: 2,
    testTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/slow/**', 'tests/*/node_modules/**'],
        },
      },
      {
        extends: true,
        test: { name: 'slow', include: ['tests/slow/**/*.test.ts'], testTimeout: 1_200_000 },
      },
    ],
  },
});
