/** Defaults that the program, its help and its documentation share. */
export const defaults = {
  concurrency: 8,
  retries: 5,
  retryMaxWait: '5m',
  chunkSize: 'auto',
  layerCompression: 'gzip',
  sparseIndex: 'auto',
  mapHost: 'drop',
  progress: 'auto',
  pruneMax: 50,
} as const
