import { train } from './train.js';

train().then((line) => {
  document.querySelector('#result').textContent = line;
});
