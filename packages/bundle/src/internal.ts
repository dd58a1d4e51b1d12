// For the packages of this repository alone: these change without notice.
export {createBundlePacker} from './compress/bundle-packer.js'
export {LAYER_FORMAT} from './compress/layer-compressor.js'
export type {Producer} from './formats/producer.js'
export {decoders} from './unpack/decoders.js'
export {ScratchRoom} from './unpack/scratch-room.js'
export {GrowingLayout, type NameChange, type NamedImage} from './write/growing-layout.js'
export {plainLayer} from './write/plain-layer.js'
