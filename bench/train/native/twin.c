/*
 * The training of bench/train, written in C for one core: a native yardstick without a BLAS.
 * Compiled for 128-bit vectors it shows how much WebAssembly's vectors can reach; compiled for the
 * widest of the CPU, how much more there is.
 *
 *   twin step|fit <batch> <samples> <epochs> <classes> sgd|adam <lr> <beta1> <beta2> <eps> <input> <layer> …
 *   twin gemm <m> <n> <k> NN|NT|TN
 *   twin peak [<operations of a call>]
 *
 * <input> is 784 or 28x28x1; layers are dense:<units>, conv:<filters>:<size>, maxPool:<size>,
 * embedding:<rows>:<width>, batchNorm, relu, tanh and flatten. Answers the requests of
 * contender-process.ts on standard input; times come with the CPU time of the process.
 *
 * Weights are stored inputs × outputs, so that a product of a batch reads their rows as they are.
 * Images are height × width × channels. Data and first weights are those of workloads.ts.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if !defined(LANES) && defined(__AVX512F__)
#define LANES 16
#elif !defined(LANES) && defined(__AVX__)
#define LANES 8
#elif !defined(LANES)
#define LANES 4
#endif

/* Sums of a product that stay in registers: ROWS × 2 vectors, of 16 registers or of AVX-512's 32. */
#define ROWS (LANES == 16 ? 12 : 6)
#define WIDTH (2 * LANES)
/* Depth of a packed panel: with WIDTH columns it fits a first-level cache. */
#define DEPTH 256

typedef float Vector __attribute__((vector_size(4 * LANES)));
typedef float Loose __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

static void fail(const char *reason) {
  printf("{\"error\":\"%s\"}\n", reason);
  exit(0);
}

static void *reserve(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 127) / 64 * 64);
  if (!memory) fail("there is no memory left");
  return memset(memory, 0, bytes);
}

static float *floats(size_t count) { return reserve(4 * count); }

/* A matrix in memory: element (i, j) is at [i * row + j * column]. */
typedef struct {
  const float *at;
  long row, column;
} Matrix;

/* ROWS or fewer rows by one or two vectors; `rows` and `vectors` are constants wherever this is inlined. */
static inline __attribute__((always_inline)) void kernel(int rows, int vectors, long depth, const float *a, long row, long column,
                                                         const float *b, long stride, float *c, long width, const float *start) {
  Vector sum[ROWS][2];
#pragma GCC unroll 12
  for (int i = 0; i < rows; i++)
    for (int v = 0; v < vectors; v++) {
      sum[i][v] = (Vector){0};
      if (start) sum[i][v] = *(const Loose *)(start + i * width + v * LANES);
    }
  for (long p = 0; p < depth; p++) {
    Vector right[2];
    for (int v = 0; v < vectors; v++) right[v] = *(const Loose *)(b + p * stride + v * LANES);
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++) {
      float left = a[i * row + p * column];
      for (int v = 0; v < vectors; v++) sum[i][v] += left * right[v];
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < rows; i++)
    for (int v = 0; v < vectors; v++) *(Loose *)(c + i * width + v * LANES) = sum[i][v];
}

#define CASE(R)                                                                                      \
  case R:                                                                                            \
    if (R > ROWS) break;                                                                             \
    if (vectors == 2) kernel(R, 2, depth, a, row, column, b, stride, c, width, start);               \
    else kernel(R, 1, depth, a, row, column, b, stride, c, width, start);                            \
    break;

static void tile(int rows, int vectors, long depth, const float *a, long row, long column, const float *b, long stride, float *c,
                 long width, const float *start) {
  switch (rows) {
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#if LANES == 16
    CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#endif
  }
}

/* Columns `from` … of b, as rows of WIDTH with zeros behind the last. */
static void pack(float *panel, Matrix b, long depth, long from, long count) {
  for (long p = 0; p < depth; p++) {
    const float *source = b.at + p * b.row + from * b.column;
    float *to = panel + p * WIDTH;
    if (b.column == 1)
      for (long j = 0; j < count; j++) to[j] = source[j];
    else
      for (long j = 0; j < count; j++) to[j] = source[j * b.column];
    for (long j = count; j < WIDTH; j++) to[j] = 0;
  }
}

/* c (m × n) = a·b, or c += a·b with `add`. A panel of b is copied where its rows are not whole vectors, or many rows of a use it. */
static void multiply(float *c, Matrix a, Matrix b, long m, long n, long k, int add) {
  static float panel[DEPTH * WIDTH] __attribute__((aligned(64)));
  float edge[ROWS * WIDTH] __attribute__((aligned(64)));
  for (long p = 0; p < k || p == 0; p += DEPTH) {
    long depth = k - p < DEPTH ? k - p : DEPTH;
    Matrix part = {b.at + p * b.row, b.row, b.column};
    for (long j = 0; j < n; j += WIDTH) {
      long count = n - j < WIDTH ? n - j : WIDTH;
      int vectors = count > LANES ? 2 : 1, whole = count == vectors * LANES;
      const float *right = part.at + j;
      long stride = b.row;
      if (b.column != 1 || !whole || (m >= 48 && b.row > WIDTH)) pack(panel, part, depth, j, count), right = panel, stride = WIDTH;
      for (long i = 0; i < m; i += ROWS) {
        int rows = m - i < ROWS ? m - i : ROWS;
        const float *left = a.at + i * a.row + p * a.column;
        float *to = c + i * n + j;
        int more = add || p > 0;
        if (whole) {
          tile(rows, vectors, depth, left, a.row, a.column, right, stride, to, n, more ? to : NULL);
          continue;
        }
        for (int r = 0; more && r < rows; r++) memcpy(edge + r * WIDTH, to + r * n, 4 * count);
        tile(rows, vectors, depth, left, a.row, a.column, right, stride, edge, WIDTH, more ? edge : NULL);
        for (int r = 0; r < rows; r++) memcpy(to + r * n, edge + r * WIDTH, 4 * count);
      }
    }
  }
}

/* eˣ to a few units in the last place, without a branch or a call, so that loops over it become vectors. */
static inline float exponential(float x) {
  x = x < -87 ? -87 : x > 88 ? 88 : x;
  float whole = x * 1.44269504f;
  int power = whole + (whole < 0 ? -0.5f : 0.5f);
  float r = x - power * 0.693145752f - power * 1.42860677e-6f;
  float sum = 1 + r * (1 + r * (0.5f + r * (0.16666667f + r * (0.041666667f + r * (0.0083333333f + r * 0.0013888889f)))));
  union { int32_t bits; float value; } scale = {(power + 127) << 23};
  return sum * scale.value;
}

typedef enum { DENSE, CONV, POOL, EMBEDDING, NORM, RELU, TANH, FLATTEN } Kind;

typedef struct {
  Kind kind;
  long first, second; /* the numbers behind the name */
  long height, width, channels, in, outHeight, outWidth, outChannels, out;
  float *weight, *bias, *weightGradient, *biasGradient; /* gamma and beta of batch norm */
  float *y, *dy, *patches, *normal, *inverse, *runningMean, *runningVariance;
  int *places;
} Layer;

#define MOST_LAYERS 16

static struct {
  long batch, samples, epochs, classes, size, count, parameters;
  int isFit, isAdam;
  float rate, beta1, beta2, eps;
  double power1, power2;
  Layer layers[MOST_LAYERS];
  float *features, *values, *gradients, *m, *v, *x;
  int *labels, *order, *chosen;
  uint32_t random;
  long next;
} net;

/* The numbers of workloads.ts. */
static double uniform(uint32_t index, uint32_t stream) {
  uint32_t h = index + stream * 0x9e3779b9u;
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return ((h ^ h >> 16) >> 8) / 16777216.0;
}

static long weightsOf(const Layer *l) {
  return l->kind == DENSE ? l->in * l->out
       : l->kind == CONV  ? l->second * l->second * l->channels * l->first
       : l->kind == EMBEDDING ? l->first * l->second
       : l->kind == NORM ? l->in : 0;
}

static long biasesOf(const Layer *l) {
  return l->kind == DENSE ? l->out : l->kind == CONV ? l->first : l->kind == NORM ? l->in : 0;
}

/* First values. Weights are drawn as [outputs][inputs], as in workloads.ts, and stored transposed. */
static void initialize(void) {
  float *value = net.values, *gradient = net.gradients;
  uint32_t stream = 16;
  memset(net.values, 0, 4 * net.parameters), memset(net.m, 0, 4 * net.parameters), memset(net.v, 0, 4 * net.parameters);
  net.power1 = net.power2 = 1;
  for (Layer *l = net.layers; l < net.layers + net.count; l++) {
    long weights = weightsOf(l), biases = biasesOf(l);
    l->weight = value, l->weightGradient = gradient, value += weights, gradient += weights;
    l->bias = value, l->biasGradient = gradient, value += biases, gradient += biases;
    if (l->kind == NORM) {
      for (long i = 0; i < l->in; i++) l->weight[i] = l->runningVariance[i] = 1, l->runningMean[i] = 0;
    } else if (weights) {
      long outputs = l->kind == EMBEDDING ? 1 : l->kind == CONV ? l->first : l->out, inputs = weights / outputs;
      double limit = sqrt(6.0 / (l->kind == EMBEDDING ? l->second : inputs));
      for (long o = 0; o < outputs; o++)
        for (long i = 0; i < inputs; i++) l->weight[i * outputs + o] = limit * (2 * uniform(o * inputs + i, stream) - 1);
      stream++;
    }
  }
}

static void addLayer(const char *text) {
  static const char *names[] = {"dense", "conv", "maxPool", "embedding", "batchNorm", "relu", "tanh", "flatten"};
  if (net.count == MOST_LAYERS) fail("too many layers");
  Layer *l = net.layers + net.count, *below = l - 1;
  char name[32] = "";
  sscanf(text, "%31[a-zA-Z]:%ld:%ld", name, &l->first, &l->second);
  for (l->kind = DENSE; l->kind <= FLATTEN && strcmp(names[l->kind], name); l->kind++);
  if (l->kind > FLATTEN) fail("a layer that the C program does not have");
  if (net.count) l->height = below->outHeight, l->width = below->outWidth, l->channels = below->outChannels;
  l->in = l->height * l->width * l->channels;
  l->outHeight = l->height, l->outWidth = l->width, l->outChannels = l->channels;
  if (l->kind == DENSE) l->outHeight = l->outWidth = 1, l->outChannels = l->first;
  if (l->kind == CONV) l->outChannels = l->first;
  if (l->kind == POOL) l->outHeight /= l->first, l->outWidth /= l->first;
  if (l->kind == EMBEDDING) l->outHeight = l->in, l->outWidth = 1, l->outChannels = l->second;
  if (l->kind == FLATTEN) l->outHeight = l->outWidth = 1, l->outChannels = l->in;
  l->out = l->outHeight * l->outWidth * l->outChannels;
  long rows = net.batch;
  if (l->kind != FLATTEN) l->y = floats(rows * l->out), l->dy = floats(rows * l->out);
  if (l->kind == CONV) l->patches = floats(l->height * l->width * l->second * l->second * l->channels);
  if (l->kind == POOL) l->places = reserve(sizeof(int) * rows * l->out);
  if (l->kind == NORM) {
    l->normal = floats(rows * l->in), l->inverse = floats(l->in);
    l->runningMean = floats(l->in), l->runningVariance = floats(l->in);
  }
  net.parameters += weightsOf(l) + biasesOf(l);
  net.count++;
}

static void addRows(float *restrict sums, const float *restrict x, long rows, long columns) {
  for (long r = 0; r < rows; r++)
    for (long c = 0; c < columns; c++) sums[c] += x[r * columns + c];
}

/* The windows of one image, a row a pixel; outside of it are zeros. With `back` they are added to the image instead. */
static void windows(const Layer *l, float *restrict image, float *restrict patches, int back) {
  long size = l->second, pad = (size - 1) / 2, channels = l->channels, length = size * size * channels;
  for (long y = 0; y < l->height; y++)
    for (long x = 0; x < l->width; x++, patches += length)
      for (long ky = 0; ky < size; ky++) {
        long row = y + ky - pad, first = x < pad ? pad - x : 0, last = x + size - pad > l->width ? l->width + pad - x : size;
        float *window = patches + ky * size * channels;
        if (row < 0 || row >= l->height) {
          if (!back) memset(window, 0, 4 * size * channels);
          continue;
        }
        float *pixels = image + (row * l->width + x - pad) * channels;
        if (!back && (first > 0 || last < size)) memset(window, 0, 4 * size * channels);
        if (back)
          for (long i = first * channels; i < last * channels; i++) pixels[i] += window[i];
        else
          for (long i = first * channels; i < last * channels; i++) window[i] = pixels[i];
      }
}

static void normForward(Layer *l, const float *restrict x, long rows) {
  long n = l->in;
  float mean[n], square[n], *restrict y = l->y, *restrict normal = l->normal, *restrict inverse = l->inverse;
  memset(mean, 0, sizeof mean), memset(square, 0, sizeof square);
  addRows(mean, x, rows, n);
  for (long c = 0; c < n; c++) mean[c] /= rows;
  for (long r = 0; r < rows; r++)
    for (long c = 0; c < n; c++) square[c] += (x[r * n + c] - mean[c]) * (x[r * n + c] - mean[c]);
  for (long c = 0; c < n; c++) {
    inverse[c] = 1 / sqrtf(square[c] / rows + 1e-5f);
    l->runningMean[c] += 0.1f * (mean[c] - l->runningMean[c]);
    l->runningVariance[c] += 0.1f * (square[c] / (rows > 1 ? rows - 1 : 1) - l->runningVariance[c]);
  }
  for (long r = 0; r < rows; r++)
    for (long c = 0; c < n; c++) {
      normal[r * n + c] = (x[r * n + c] - mean[c]) * inverse[c];
      y[r * n + c] = l->weight[c] * normal[r * n + c] + l->bias[c];
    }
}

static void normBackward(Layer *l, float *restrict dx, long rows) {
  long n = l->in;
  const float *restrict dy = l->dy, *restrict normal = l->normal;
  memset(l->biasGradient, 0, 4 * n), memset(l->weightGradient, 0, 4 * n);
  addRows(l->biasGradient, dy, rows, n);
  for (long r = 0; r < rows; r++)
    for (long c = 0; c < n; c++) l->weightGradient[c] += dy[r * n + c] * normal[r * n + c];
  for (long r = 0; dx && r < rows; r++)
    for (long c = 0; c < n; c++) {
      float shift = (l->biasGradient[c] + normal[r * n + c] * l->weightGradient[c]) / rows;
      dx[r * n + c] = l->weight[c] * l->inverse[c] * (dy[r * n + c] - shift);
    }
}

static void poolForward(Layer *l, const float *x, long rows) {
  long size = l->first, channels = l->channels, at = 0;
  for (long r = 0; r < rows; r++)
    for (long y = 0; y < l->outHeight; y++)
      for (long z = 0; z < l->outWidth; z++)
        for (long c = 0; c < channels; c++, at++) {
          long best = ((r * l->height + y * size) * l->width + z * size) * channels + c, corner = best;
          for (long ky = 0; ky < size; ky++)
            for (long kx = 0; kx < size; kx++) {
              long place = corner + (ky * l->width + kx) * channels;
              best = x[place] > x[best] ? place : best;
            }
          l->y[at] = x[best], l->places[at] = best;
        }
}

/* The output of a layer for `rows` samples. */
static float *forward(Layer *l, float *x, long rows) {
  long patch = l->second * l->second * l->channels, pixels = l->height * l->width, total = rows * l->out;
  float *restrict y = l->y;
  switch (l->kind) {
    case DENSE:
      for (long r = 0; r < rows; r++) memcpy(y + r * l->out, l->bias, 4 * l->out);
      multiply(y, (Matrix){x, l->in, 1}, (Matrix){l->weight, l->out, 1}, rows, l->out, l->in, 1);
      break;
    case CONV:
      for (long r = 0; r < rows; r++) {
        float *map = y + r * l->out;
        windows(l, x + r * l->in, l->patches, 0);
        for (long p = 0; p < pixels; p++) memcpy(map + p * l->first, l->bias, 4 * l->first);
        multiply(map, (Matrix){l->patches, patch, 1}, (Matrix){l->weight, l->first, 1}, pixels, l->first, patch, 1);
      }
      break;
    case POOL: poolForward(l, x, rows); break;
    case EMBEDDING:
      for (long i = 0; i < rows * l->in; i++) memcpy(y + i * l->second, l->weight + (long)x[i] * l->second, 4 * l->second);
      break;
    case NORM: normForward(l, x, rows); break;
    case RELU:
      for (long i = 0; i < total; i++) y[i] = x[i] > 0 ? x[i] : 0;
      break;
    case TANH:
      for (long i = 0; i < total; i++) y[i] = 1 - 2 / (exponential(2 * x[i]) + 1);
      break;
    case FLATTEN: l->y = x; break;
  }
  return l->y;
}

/* The gradients of a layer's parameters and, unless dx is NULL, of its input. */
static void backward(Layer *l, float *x, float *restrict dx, long rows) {
  long patch = l->second * l->second * l->channels, pixels = l->height * l->width, total = rows * l->out;
  const float *restrict dy = l->dy, *restrict y = l->y;
  switch (l->kind) {
    case DENSE:
      memset(l->biasGradient, 0, 4 * l->out);
      addRows(l->biasGradient, dy, rows, l->out);
      multiply(l->weightGradient, (Matrix){x, 1, l->in}, (Matrix){dy, l->out, 1}, l->in, l->out, rows, 0);
      if (dx) multiply(dx, (Matrix){dy, l->out, 1}, (Matrix){l->weight, 1, l->out}, rows, l->in, l->out, 0);
      break;
    case CONV:
      memset(l->biasGradient, 0, 4 * l->first);
      addRows(l->biasGradient, dy, rows * pixels, l->first);
      memset(l->weightGradient, 0, 4 * patch * l->first);
      if (dx) memset(dx, 0, 4 * rows * l->in);
      for (long r = 0; r < rows; r++) {
        Matrix map = {dy + r * l->out, l->first, 1};
        windows(l, x + r * l->in, l->patches, 0);
        multiply(l->weightGradient, (Matrix){l->patches, 1, patch}, map, patch, l->first, pixels, 1);
        if (!dx) continue;
        multiply(l->patches, map, (Matrix){l->weight, 1, l->first}, pixels, patch, l->first, 0);
        windows(l, dx + r * l->in, l->patches, 1);
      }
      break;
    case POOL:
      memset(dx, 0, 4 * rows * l->in);
      for (long i = 0; i < total; i++) dx[l->places[i]] += dy[i];
      break;
    case EMBEDDING:
      memset(l->weightGradient, 0, 4 * l->first * l->second);
      for (long i = 0; i < rows * l->in; i++)
        for (long d = 0; d < l->second; d++) l->weightGradient[(long)x[i] * l->second + d] += dy[i * l->second + d];
      break;
    case NORM: normBackward(l, dx, rows); break;
    case RELU:
      for (long i = 0; i < total; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
      break;
    case TANH:
      for (long i = 0; i < total; i++) dx[i] = dy[i] * (1 - y[i] * y[i]);
      break;
    case FLATTEN: break;
  }
}

/* Mean cross-entropy of softmax; its gradient becomes that of the last layer's output. */
static double crossEntropy(const float *logits, float *gradient, const int *labels, long rows) {
  double loss = 0;
  long n = net.classes;
  for (long r = 0; r < rows; r++, logits += n, gradient += n) {
    float most = logits[0], sum = 0;
    for (long c = 1; c < n; c++) most = logits[c] > most ? logits[c] : most;
    for (long c = 0; c < n; c++) gradient[c] = exponential(logits[c] - most);
    for (long c = 0; c < n; c++) sum += gradient[c];
    loss += logf(sum) + most - logits[labels[r]];
    for (long c = 0; c < n; c++) gradient[c] *= 1 / (sum * rows);
    gradient[labels[r]] -= 1.0f / rows;
  }
  return loss / rows;
}

static void update(void) {
  float *restrict w = net.values, *restrict m = net.m, *restrict v = net.v;
  const float *restrict g = net.gradients;
  if (!net.isAdam) {
    for (long i = 0; i < net.parameters; i++) w[i] -= net.rate * g[i];
    return;
  }
  net.power1 *= net.beta1, net.power2 *= net.beta2;
  float rate = net.rate / (1 - net.power1), correction = 1 / sqrt(1 - net.power2), eps = net.eps;
  float b1 = net.beta1, b2 = net.beta2;
  for (long i = 0; i < net.parameters; i++) {
    m[i] = b1 * m[i] + (1 - b1) * g[i];
    v[i] = b2 * v[i] + (1 - b2) * (g[i] * g[i]);
    w[i] -= rate * m[i] / (sqrtf(v[i]) * correction + eps);
  }
}

/* Trains on `rows` samples; their mean loss. */
static double train(float *x, const int *labels, long rows) {
  float *inputs[MOST_LAYERS];
  Layer *top = net.layers + net.count - 1;
  for (long i = 0; i < net.count; i++) inputs[i] = x, x = forward(net.layers + i, x, rows);
  double loss = crossEntropy(x, top->dy, labels, rows);
  for (long i = net.count - 1; i >= 0; i--) {
    Layer *l = net.layers + i;
    if (i && l[-1].kind == FLATTEN) l[-1].dy = i > 1 ? l[-2].dy : NULL;
    if (l->kind != FLATTEN) backward(l, inputs[i], i ? l[-1].dy : NULL, rows);
  }
  update();
  return loss;
}

/* A step on the next batch, copied in; its loss. */
static double step(void) {
  long from = net.next, rows = net.batch;
  net.next = from + 2 * rows > net.samples ? 0 : from + rows;
  memcpy(net.x, net.features + from * net.size, 4 * rows * net.size);
  return train(net.x, net.labels + from, rows);
}

static uint32_t below(uint32_t limit) {
  net.random ^= net.random << 13, net.random ^= net.random >> 17, net.random ^= net.random << 5;
  return (uint64_t)net.random * limit >> 32;
}

/* A whole fit from first weights; the mean loss of its last epoch. */
static double fit(void) {
  double loss = 0;
  initialize();
  for (long i = 0; i < net.samples; i++) net.order[i] = i;
  for (long epoch = 0; epoch < net.epochs; epoch++) {
    for (long i = net.samples - 1; i > 0; i--) {
      long j = below(i + 1), kept = net.order[i];
      net.order[i] = net.order[j], net.order[j] = kept;
    }
    loss = 0;
    for (long from = 0; from < net.samples; from += net.batch) {
      long rows = net.samples - from < net.batch ? net.samples - from : net.batch;
      for (long r = 0; r < rows; r++) {
        long sample = net.order[from + r];
        memcpy(net.x + r * net.size, net.features + sample * net.size, 4 * net.size);
        net.chosen[r] = net.labels[sample];
      }
      loss += rows * train(net.x, net.chosen, rows) / net.samples;
    }
  }
  return loss;
}

static struct {
  long m, n, k;
  int turnsA, turnsB; /* whether they lie transposed in memory */
  float *a, *b, *c;
} product;

static double multiplyOnce(void) {
  Matrix a = {product.a, product.k, 1}, b = {product.b, product.n, 1};
  if (product.turnsA) a.row = 1, a.column = product.m;
  if (product.turnsB) b.row = 1, b.column = product.k;
  multiply(product.c, a, b, product.m, product.n, product.k, 0);
  return product.c[0];
}

/* Vectors multiplied and added to sums that do not wait for each other: what the core can do. */
#define PEAK_CHAINS (LANES == 16 ? 24 : 12)
static long peakRepeats = 20000;
#ifdef __aarch64__
#define REGISTER(vector) "+w"(vector)
#else
#define REGISTER(vector) "+v"(vector)
#endif
static double peak(void) {
  Vector sums[PEAK_CHAINS] = {0}, left, right;
  for (int l = 0; l < LANES; l++) left[l] = 0.5f, right[l] = 0.25f;
  for (long r = 0; r < peakRepeats; r++) {
#pragma GCC unroll 24
    for (int i = 0; i < PEAK_CHAINS; i++) {
      __asm__ volatile("" : REGISTER(left)); /* or the product would be made once */
      sums[i] += left * right;
    }
  }
  float total = 0;
  for (int i = 0; i < PEAK_CHAINS; i++) total += sums[i][0];
  return total;
}

static void openNetwork(int count, char **given) {
  if (count < 12) fail("too few arguments");
  net.isFit = !strcmp(given[1], "fit");
  net.batch = atol(given[2]), net.samples = atol(given[3]), net.epochs = atol(given[4]), net.classes = atol(given[5]);
  net.isAdam = !strcmp(given[6], "adam");
  net.rate = atof(given[7]), net.beta1 = atof(given[8]), net.beta2 = atof(given[9]), net.eps = atof(given[10]);
  Layer *first = net.layers;
  first->height = first->width = first->channels = 1;
  if (sscanf(given[11], "%ldx%ldx%ld", &first->height, &first->width, &first->channels) == 1)
    first->channels = first->height, first->height = 1;
  for (int i = 12; i < count; i++) addLayer(given[i]);
  net.size = first->in, net.random = 2463534242u;
  net.values = floats(net.parameters), net.gradients = floats(net.parameters);
  net.m = floats(net.parameters), net.v = floats(net.parameters);
  net.features = floats(net.samples * net.size), net.x = floats(net.batch * net.size);
  net.labels = reserve(4 * net.samples), net.order = reserve(4 * net.samples), net.chosen = reserve(4 * net.batch);
  for (long i = 0; i < net.samples * net.size; i++) {
    double u = uniform(i, 1);
    net.features[i] = first->kind == EMBEDDING ? floor(first->first * u) : u;
  }
  for (long i = 0; i < net.samples; i++) net.labels[i] = net.classes * uniform(i, 2);
  initialize();
}

static void openProduct(char **given) {
  product.m = atol(given[2]), product.n = atol(given[3]), product.k = atol(given[4]);
  product.turnsA = given[5][0] == 'T', product.turnsB = given[5][1] == 'T';
  product.a = floats(product.m * product.k), product.b = floats(product.k * product.n), product.c = floats(product.m * product.n);
  for (long i = 0; i < product.m * product.k; i++) product.a[i] = uniform(i, 1) - 0.5;
  for (long i = 0; i < product.k * product.n; i++) product.b[i] = uniform(i, 2) - 0.5;
}

static double now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * 1e9 + time.tv_nsec;
}

static volatile double sink;

static void sample(double (*call)(void), double milliseconds) {
  double start = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID), passed = 0;
  long calls = 0;
  while (passed < milliseconds * 1e6) {
    /* Small calls by blocks of up to a tenth of the sample, so that the clock costs nothing. */
    long block = calls ? milliseconds * 1e5 * calls / passed : 1;
    block = block < 1 ? 1 : block > 64 ? 64 : block;
    for (long i = 0; i < block; i++) sink = call();
    calls += block;
    passed = now(CLOCK_MONOTONIC) - start;
  }
  printf("{\"calls\":%ld,\"ns\":%.0f,\"cpu\":%.0f}\n", calls, passed, now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
}

static long peakMemory(void) {
  char line[256];
  long kilobytes = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status)) sscanf(line, "VmHWM: %ld", &kilobytes);
  if (status) fclose(status);
  return 1024 * kilobytes;
}

int main(int count, char **given) {
  char line[256];
  double number, (*call)(void) = step;
  if (count > 1 && !strcmp(given[1], "peak")) {
    call = peak;
    if (count > 2) peakRepeats = fmax(1, round(atof(given[2]) / (2 * LANES * PEAK_CHAINS)));
  } else if (count == 6 && !strcmp(given[1], "gemm")) openProduct(given), call = multiplyOnce;
  else openNetwork(count, given), call = net.isFit ? fit : step;
#ifdef __clang__
  printf("{\"ready\":true,\"version\":\"(%d-bit vectors, %s)\"", 32 * LANES, __VERSION__);
#else
  printf("{\"ready\":true,\"version\":\"(%d-bit vectors, gcc %s)\"", 32 * LANES, __VERSION__);
#endif
  if (call == peak) printf(",\"flops\":%ld", 2L * LANES * PEAK_CHAINS * peakRepeats);
  puts("}");
  while (fflush(stdout), fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "losses %lf", &number) == 1) {
      for (int i = 0; i < number; i++) printf("%s%.9g", i ? "," : "[", call());
      puts("]");
    } else if (sscanf(line, "sample %lf", &number) == 1) {
      sample(call, number);
    } else {
      printf("%ld\n", peakMemory());
    }
  }
}
