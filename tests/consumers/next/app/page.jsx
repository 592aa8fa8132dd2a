import { touched } from '../guard.js';
import 'adal-wasm';
import 'adal-wasm/nn';
import { Trainer } from './trainer.jsx';

export const dynamic = 'force-dynamic';

/** Rendered on the server, where importing the package must have touched nothing. */
export default function Page() {
  return (
    <>
      <p id="touched">{`touched: ${touched.join(', ')}.`}</p>
      <Trainer />
    </>
  );
}
