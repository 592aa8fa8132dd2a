'use client';

import { useEffect, useState } from 'react';
import { train } from '../train.js';

/** Trains in the browser. */
export function Trainer() {
  const [line, setLine] = useState('');
  useEffect(() => void train().then(setLine), []);
  return <p id="result">{line}</p>;
}
