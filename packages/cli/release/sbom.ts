import {createHash} from 'node:crypto'
import type {Component} from './components.js'
import type {Program} from './program.js'
import type {Entry} from './tree.js'

/**
 * Returns a CycloneDX 1.6 document of what is inside: every package and library, and every file by its digest. The serial number is a
 * hash of the content, so that the same program has the same document.
 */
export function sbomOf({version, components, entries}: Program, modified: Date): string {
  const parts = [...new Map(components.map((part) => [purlOf(part), part])).values()].toSorted((a, b) =>
    purlOf(a) < purlOf(b) ? -1 : 1,
  )
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: serialOf(entries),
    version: 1,
    metadata: {
      timestamp: modified.toISOString(),
      component: {
        type: 'application',
        'bom-ref': 'mirror',
        name: 'mirror',
        version,
        licenses: [{license: {id: 'Apache-2.0'}}],
      },
    },
    components: [
      ...parts.map((part) => ({
        type: part.name.startsWith('node-linux-') ? 'platform' : 'library',
        'bom-ref': purlOf(part),
        name: part.name,
        version: part.version,
        licenses: part.license === undefined ? undefined : [licenseOf(part.license)],
        purl: purlOf(part),
      })),
      ...entries.flatMap((entry) => ('target' in entry ? [] : [fileComponent(entry)])),
    ],
    dependencies: [{ref: 'mirror', dependsOn: parts.map(purlOf)}],
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

function purlOf({name, version, origin = 'npm'}: Component): string {
  return `pkg:${origin}/${name.replace('@', '%40')}@${version}`
}

/** An SPDX identifier, or an expression of several. */
function licenseOf(license: string): object {
  if (/^[\w.+-]+$/.test(license)) return {license: {id: license}}
  return {expression: license}
}

function fileComponent({path, bytes}: {readonly path: string; readonly bytes: Uint8Array}): object {
  return {type: 'file', name: path, hashes: [{alg: 'SHA-256', content: sha256(bytes)}]}
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** A UUID of version 8, whose bits the application chooses (RFC 9562, 5.8). */
function serialOf(entries: readonly Entry[]): string {
  const all = createHash('sha256')
  for (const entry of entries)
    all.update(entry.path).update('target' in entry ? entry.target : sha256(entry.bytes))
  const hex = all.digest('hex')
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
