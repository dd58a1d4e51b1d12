export {requireNodeLines} from './node-lines.js'
export {faultsOfOutput, faultsOfReport} from './report-schema.js'
export {runChild, startChild, type Child, type ChildOptions, type ChildResult} from './child.js'
export {containerdSocket, startContainerd, type ContainerdOptions} from './containerd.js'
export {DOCKER_TOOLS, startDocker, type Docker} from './docker.js'
export {compress, type Compression, type GzipOptions, type XzOptions, type ZstdOptions} from './compress.js'
export {criPull, type CriAnswer} from './cri-client.js'
export {startDebianRegistry, type DebianRegistry, type DebianRegistryOptions} from './debian-registry.js'
export {startDockerTokens, type DockerTokens, type DockerTokensOptions} from './docker-tokens.js'
export {freePort} from './free-port.js'
export {imagesInLock, imgpkgBundle, imgpkgTar} from './imgpkg.js'
export {
  makeImage,
  makeLayers,
  makeManifest,
  type ImageOptions,
  type PlatformImage,
  type TestBlob,
  type TestImage,
  type TestLayer,
  type TestManifest,
} from './images.js'
export {dockerArchive, ociLayout, skopeoDirectory, type NamedImage} from './layouts.js'
export {memoryBlob, MemorySource} from './memory-source.js'
export {startProxy, type ProxyOptions, type ProxyRecord, type TestProxy} from './proxy.js'
export {runInTerminal, type DialogueStep, type PtyOptions, type PtyResult} from './pty.js'
export {
  cleanEnvironment,
  mirrorProgram,
  runMirror,
  spawnMirror,
  startMirror,
  type RunMirrorOptions,
} from './run-mirror.js'
export {startMirrorServer, type MirrorServer} from './mirror-server.js'
export {rawClient, type RawAnswer, type RawClient, type RawRequest} from './raw-client.js'
export {craneLayout, craneLegacy, craneTarball} from './saved-by-crane.js'
export {dockerSave, dockerSaveByContainerd} from './saved-by-docker.js'
export type {SavedImage} from './saved-image.js'
export {addImage} from './seed-registry.js'
export {openInBrowser, type BrowserPage} from './browser.js'
export {
  startScripted,
  type Answer,
  type Asked,
  type Routes,
  type Script,
  type ScriptedServer,
} from './scripted-server.js'
export {seededBytes, seededRandom, seededText, shuffled, timesTried} from './seeded.js'
export {skopeo} from './skopeo.js'
export {startSocks, type SocksOptions, type TestSocks} from './socks.js'
export {
  inOrder,
  tarBytes,
  writeDirectory,
  writeTar,
  type Entry,
  type EntryOrder,
  type TarOptions,
} from './tar.js'
export {makeTempDir, withTempDir, type TempDir} from './temp-dir.js'
export {makeAuthority, type Authority, type KeyPair} from './tls.js'
export {findTool, lacksTool, requireTool} from './tool.js'
export {withRegistry} from './with-registry.js'
