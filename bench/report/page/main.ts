/**
 * The script of the report's page: adds sorting, curves, and the download of the result. Without it
 * the page still has all of its text and tables.
 */
import { enableCurves } from './curves';
import { enableSorting } from './sort';
import { unpack } from './unpack';

/** The embedded result as the file it came from. */
function enableDownload(): void {
  const source = document.querySelector('#result-data');
  document.querySelector('#download')?.addEventListener('click', async () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(
      new Blob([await unpack(source!)], { type: 'application/json' }),
    );
    link.download = 'result.json';
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

enableSorting();
enableDownload();
enableCurves().then(() => {
  document.documentElement.dataset.ready = '';
});
