/**
 * The records in linear memory that the nn module reads; declared as in optim-records.js. The build
 * writes their accessors to build/assembly/nn-records.ts and build/nn-records.ts.
 */
export default {
  WindowRecord: {
    doc: 'How a convolution or a pooling moves over images, in pixels.',
    size: 64,
    fields: {
      inHeight: ['i32', 'height of an input image'],
      inWidth: ['i32', 'width of an input image'],
      inChannels: ['i32', 'channels of an input image'],
      height: ['i32', 'height of the window'],
      width: ['i32', 'width of the window'],
      strideY: ['i32', 'rows from one window to the next'],
      strideX: ['i32', 'columns from one window to the next'],
      padTop: [
        'i32',
        "rows of zeros above the image; below it, as many as the output's height needs",
      ],
      padLeft: ['i32', "columns of zeros to the left; to the right, as the output's width needs"],
      outHeight: ['i32', 'height of an output image'],
      outWidth: ['i32', 'width of an output image'],
      outChannels: ['i32', 'channels of an output image'],
      dilationY: ['i32', 'rows from one row of the window to the next, 1 and up'],
      dilationX: ['i32', 'columns from one column of the window to the next, 1 and up'],
    },
  },
  AttentionRecord: {
    doc: 'The sizes of an attention, per sample.',
    size: 64,
    fields: {
      heads: ['i32', 'heads'],
      queries: ['i32', 'steps of the queries'],
      keys: ['i32', 'steps of the keys and values'],
      keyDim: ['i32', 'floats of a query or key per head'],
      valueDim: ['i32', 'floats of a value per head'],
      causal: ['i32', '1 if query i attends to keys up to i only, else 0'],
      maskFloats: ['i32', 'floats of a padding mask: 1 for a length, or one for each key'],
    },
  },
  SharedCallRecord: {
    doc: 'A kernel call whose work threads share; each kernel reads the fields that it needs.',
    size: 64,
    fields: {
      op: ['i32', 'the kernel: one of SHARED_…'],
      tasks: ['i32', 'parts that the work is cut into'],
      threads: ['i32', 'threads that share the call, the calling one included'],
      done: ['i32', 'of a weight gradient: groups that earlier phases summed'],
      scratch: ['pointer', 'scratch of the first thread'],
      scratchStep: ['u32', "bytes from one thread's scratch to the next"],
      out: ['pointer', "the kernel's first argument: its result"],
      input: ['pointer', 'its second argument, or its third where the second is also a result'],
      other: ['pointer', 'its third operand, or 0'],
      window: ['pointer', 'the WindowRecord of a call on images'],
      count: ['i32', 'images, rows or elements'],
      m: ['i32', 'rows of a product'],
      n: ['i32', 'columns of a product, or of the rows that a bias is added to'],
      k: ['i32', 'inner dimension of a product'],
    },
  },
};
