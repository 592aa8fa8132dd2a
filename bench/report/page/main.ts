/** The script of the report's page. The page is whole without it: it adds sorting, curves, and the download of the result. */
import { enableCurves } from './curves';
import { enableSorting } from './sort';

/** The embedded result as the file it came from. */
function enableDownload(): void {
  const source = document.querySelector('#result-data');
  document.querySelector('#download')?.addEventListener('click', () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([source!.textContent], { type: 'application/json' }));
    link.download = 'result.json';
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

enableSorting();
enableDownload();
enableCurves();
document.documentElement.dataset.ready = '';
