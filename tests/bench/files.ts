/** The data of bench/data and of this system. */
import { createFileSource } from '../../bench/suite/runners/file-source';

export const fileSource = createFileSource(new URL('../../bench/data/', import.meta.url));
