export type {LayerCompression} from './compress/compress.js'
export type {BundleDescription, BundleSource} from './formats/archive-source.js'
export type {OuterEntry} from './formats/no-images.js'
export {openBundle, type OpenBundleOptions} from './open-bundle.js'
