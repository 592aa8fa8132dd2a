/** The page in the hands of a runner: fetches jobs, posts what comes of them, until there are no more. */
import type { Job } from '../executor';
import { PageLane } from './page-lane';

const post = (body: object) => fetch('report', { method: 'POST', body: JSON.stringify(body) });

export async function beDriven(show: (text: string) => void): Promise<void> {
  const lane = new PageLane();
  for (;;) {
    const job: Job | null = await (await fetch('job')).json();
    if (!job) break;
    show(JSON.stringify(job).slice(0, 200));
    let posted: Promise<unknown> = Promise.resolve();
    try {
      await lane.execute(job, (entry) => {
        posted = posted.then(() => post({ entry }));
      });
      await posted;
      await post({ done: true });
    } catch (error) {
      await posted;
      await post({ error: String(error) });
    }
  }
  await lane.close();
  show('done');
}
