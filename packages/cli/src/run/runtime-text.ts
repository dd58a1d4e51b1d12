import {decoders} from '@airgap-mirror/bundle/internal'

/** Returns the lines that follow the version: the runtime, and the libraries that read and write bundles here. */
export async function runtimeText(): Promise<string> {
  const {xz, zstd, passedOver} = await decoders()
  const lines = [
    `Node.js ${process.versions.node} for ${process.platform} ${process.arch}`,
    `xz by ${xz}, zstd by ${zstd}`,
    ...passedOver,
  ]
  return `${lines.join('\n')}\n`
}
