export type {LayerCompression} from './compress/compress.js'
