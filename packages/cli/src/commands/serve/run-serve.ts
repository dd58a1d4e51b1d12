import {once} from 'node:events'
import {realpath} from 'node:fs/promises'
import {basename, dirname, join, resolve} from 'node:path'
import {codeOf, formatReference, MirrorError} from '@airgap-mirror/oci-client/model'
import {gather} from '../../engine/gather.js'
import type {ExitCode} from '../../report/exit-code.js'
import {createRenderer} from '../../render/create-renderer.js'
import {openBundleSource} from '../../run/open-bundle-source.js'
import {runAsking} from '../../run/run-asking.js'
import type {Run} from '../../run/run.js'
import type {FlagValues} from '../../settings/flag-values.js'
import {acquireLock} from '../../state/lock.js'
import {printable} from '../../text/printable.js'
import {Catalog} from './content/catalog.js'
import {wakeBundle} from './content/wake-bundle.js'
import {listen} from './listen.js'
import {served} from './served.js'
import {openWritable, type Writable} from './writable/open-writable.js'
import {readServeSettings, type ServeSettings} from './serve-settings.js'

/**
 * Serves bundles until a signal ends it, which is success.
 * @throws {MirrorError} USAGE, and the errors of opening a bundle
 */
export async function runServe(flags: FlagValues): Promise<ExitCode> {
  const settings = await readServeSettings(flags)
  await runAsking((run) => serve(settings, run), {stateDirectory: settings.stateDirectory})
  return 0
}

async function serve(settings: ServeSettings, run: Run): Promise<void> {
  const catalog = new Catalog()
  for (const path of settings.sources) await addBundle(catalog, {path, settings, run})
  const writable = await openPushes(catalog, {settings, run})
  const repositories = [...(writable?.repositories ?? []), ...catalog.repositories]
  const tags = repositories.reduce((sum, repository) => sum + [...repository.tags()].length, 0)
  if (repositories.length === 0 && writable === undefined) {
    throw new MirrorError('USAGE', 'no image of the source has a name under which it could be served', {
      hint: 'Push the bundle to a registry instead: "mirror push" can give names.',
    })
  }
  warnOfNamesakes(catalog, run)
  const {soon} = run.stop
  const {address, tls, guard, verbose} = settings
  await using server = await listen(served(catalog, writable), {
    ...address,
    tls,
    guard,
    onRequest: (line) => {
      if (verbose) process.stderr.write(`${printable(line)}\n`)
    },
    onFailure: (text) => run.warn(printable(text)),
  })
  const pushes = settings.writable === undefined ? '' : `, and pushes into ${printable(settings.writable)},`
  const scheme = tls === undefined ? 'http' : 'https'
  process.stderr.write(
    `serving ${tags} ${tags === 1 ? 'tag' : 'tags'} of ${repositories.length} ${repositories.length === 1 ? 'repository' : 'repositories'}${pushes} on ${scheme}://${server.address}; press Ctrl-C to stop\n`,
  )
  if (!soon.aborted) await once(soon, 'abort')
}

async function addBundle(
  catalog: Catalog,
  {path, settings, run}: {readonly path: string; readonly settings: ServeSettings; readonly run: Run},
): Promise<void> {
  const {scratch, verifyKey} = settings
  const renderer = await createRenderer('plain', {stream: process.stderr})
  const told = {...run, renderer, note: (text: string) => renderer.onEvent({type: 'note', text})}
  const opening = {path, layerCompression: 'none', scratch, verifyKey, readOften: true} as const
  // Later only notes are told.
  const source = await openBundleSource(told, opening).finally(() => renderer.close())
  // A remembered bundle is opened later, and then a note says the same.
  if (source.access === 'in-order' && (scratch === 'never' || source.usage.decoded > 0)) {
    run.warn(`${path} can only be read from its start, so each pull reads it again up to its layer`)
  }
  const signal = run.stop.soon
  const gathered = await gather(source, {signal})
  const woken = wakeBundle(gathered, {source, signal})
  run.keep({[Symbol.asyncDispose]: () => woken})
  for (const {image, reason} of catalog.add(gathered, source)) {
    const {name, shownAs} = image.image
    const what = name === undefined ? (shownAs ?? 'an image') : formatReference(name)
    run.warn(`not served: ${what} of ${path}: ${reason}`)
  }
}

/** Opens the layout for pushes, which one server at a time may write to. */
async function openPushes(
  catalog: Catalog,
  {settings, run}: {readonly settings: ServeSettings; readonly run: Run},
): Promise<Writable | undefined> {
  const {writable: path, guard} = settings
  if (path === undefined) return undefined
  if (run.stateDirectory === undefined) {
    run.warn(`without saved state, nothing keeps another server from writing into ${path} at the same time`)
  } else {
    const place = await realPlace(resolve(path))
    run.keep(await acquireLock(run.stateDirectory, {key: `serve --writable ${place}`, wait: 0}))
  }
  if (guard === undefined) {
    run.warn(`everybody who reaches this server may push into ${path}: --htpasswd keeps others out`)
  }
  return run.keep(await openWritable({path, catalog, onWarning: run.warn, signal: run.stop.soon}))
}

/** Returns the path without links, also of a directory that is not there yet: by each of its paths it is one lock. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) return path
    return join(await realPlace(dirname(path)), basename(path))
  }
}

/** A node that does not say which registry it means gets the first of these. */
function warnOfNamesakes(catalog: Catalog, run: Run): void {
  const seen = new Map<string, string>()
  for (const {registry, repository} of catalog.repositories) {
    const first = seen.get(repository)
    if (first === undefined) seen.set(repository, registry)
    else {
      run.warn(
        `${repository} is an image of ${first} and of ${registry}: a client that does not name the registry gets the tags of ${first}`,
      )
    }
  }
}
