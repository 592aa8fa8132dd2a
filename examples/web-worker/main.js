/** The page: it animates a ball and shows the worker's messages. */
const worker = new Worker(new URL('./trainer.js', import.meta.url), { type: 'module' });
const ball = document.querySelector('#ball');
let frames = 0;
let longestGap = 0;
let last = performance.now();

function animate(now) {
  frames++;
  longestGap = Math.max(longestGap, now - last);
  last = now;
  ball.style.transform = `translateX(${50 + 40 * Math.sin(now / 300)}vw)`;
  requestAnimationFrame(animate);
}
requestAnimationFrame(animate);

worker.addEventListener('message', ({ data }) => {
  if (data.loss !== undefined)
    document.querySelector('#loss').textContent =
      `epoch ${data.epoch}: loss ${data.loss.toFixed(4)}`;
  if (data.accuracy === undefined) return;
  const line =
    `accuracy ${data.accuracy.toFixed(3)}, ${frames} frames while it trained, ` +
    `the longest gap ${longestGap.toFixed(0)} ms`;
  document.querySelector('#result').textContent = line;
});
worker.addEventListener('error', ({ message }) => {
  throw new Error(message);
});
