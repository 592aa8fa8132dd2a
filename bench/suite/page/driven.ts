/** Lets a runner drive the page: fetches jobs and posts entries until no jobs are left. */
import type { Job } from '../job';
import { PageLane } from './page-lane';

interface Given {
  readonly number: number;
  readonly job: Job | null;
}

/** Reports about a job. @throws Error with the runner's reason when it does not take the report */
async function post(number: number, message: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`report?job=${number}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(message),
  });
  if (!response.ok) throw new Error(`the runner did not take a report: ${await response.text()}`);
}

export async function beDriven(show: (text: string) => void): Promise<void> {
  const lane = new PageLane();
  for (;;) {
    const { number, job }: Given = await (await fetch('job')).json();
    if (!job) break;
    show(JSON.stringify(job).slice(0, 200));
    let posted: Promise<unknown> = Promise.resolve();
    try {
      await lane.execute(job, (entry) => {
        posted = posted.then(() => post(number, { entry }));
      });
      await posted;
      await post(number, { done: true });
    } catch (error) {
      await posted.catch(() => {});
      await post(number, { error: String(error) });
    }
  }
  await lane.close();
  show('done');
}
