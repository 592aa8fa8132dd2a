import { memoryStore } from '../../../src/checkpoint';
import { contract } from './contract';

contract(() => {
  const store = memoryStore();
  return () => store;
});
