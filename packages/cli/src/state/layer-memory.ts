import {
  isMirrorError,
  parseDescriptor,
  type Descriptor,
  type PendingLayer,
} from '@airgap-mirror/oci-client/model'
import type {KnownLayers} from '../engine/known-layers.js'
import type {Drawer} from './drawer.js'

/** @param layerFormat the version of the compressor */
export function layerMemory(drawer: Drawer, layerFormat: number): KnownLayers {
  const keyOf = ({diffId, mediaType}: PendingLayer): string => `${diffId} ${mediaType} ${layerFormat}`
  return {
    find: async (layer) => {
      const final = descriptorIn(await drawer.getJson(keyOf(layer)))
      return final?.mediaType === layer.mediaType ? final : undefined
    },
    note: async (layer, {mediaType, digest, size}) =>
      void (await drawer.put(keyOf(layer), JSON.stringify({mediaType, digest, size}))),
    forget: (layer) => drawer.remove(keyOf(layer)),
  }
}

function descriptorIn(json: unknown): Descriptor | undefined {
  if (json === undefined) return undefined
  try {
    return parseDescriptor(json, 'a remembered layer')
  } catch (error) {
    if (isMirrorError(error)) return undefined
    throw error
  }
}
