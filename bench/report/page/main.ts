/** The script of the report's page. The page is whole without it: it adds sorting, curves, and the download of the result. */
import { enableCurves } from './curves';
import { enableSorting } from './sort';

/** The embedded result as the file it came from: gzip in base64 on the page. */
async function unpack(base64: string): Promise<Blob> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const text = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Blob([await new Response(text).arrayBuffer()], { type: 'application/json' });
}

function enableDownload(): void {
  const source = document.querySelector('#result-data');
  document.querySelector('#download')?.addEventListener('click', async () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(await unpack(source!.textContent));
    link.download = 'result.json';
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

enableSorting();
enableDownload();
enableCurves();
document.documentElement.dataset.ready = '';
