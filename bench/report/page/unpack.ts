/** Unpacks what the report embeds: gzip in base64. */
export async function unpack(source: Element): Promise<string> {
  const bytes = Uint8Array.from(atob(source.textContent), (character) => character.charCodeAt(0));
  return new Response(
    new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')),
  ).text();
}
