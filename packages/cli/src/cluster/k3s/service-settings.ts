import {fileNamesIn, type NodeFiles} from '../files/node-files.js'
import {readYamlDocuments} from '../yaml/read-yaml-documents.js'
import {textOf, valueAt, type YamlNode} from '../yaml/yaml-node.js'

export interface ServiceSettings {
  /** The path of registries.yaml. */
  readonly registriesPath: string
  /** `file:line` of `disable-default-registry-endpoint: true`. */
  readonly cutsDefault?: string
  /** `file:line` of `embedded-registry: true`. */
  readonly embedded?: string
  /** The message with which the service stops. */
  readonly message?: string
}

/** Reads config.yaml and then config.yaml.d/*.yaml; the last value of a key counts. */
export function readServiceSettings(program: 'k3s' | 'rke2', files: NodeFiles): ServiceSettings {
  const directory = `/etc/rancher/${program}`
  const dropIns = fileNamesIn(files, `${directory}/config.yaml.d`).filter((name) => /\.ya?ml$/.test(name))
  const paths = [`${directory}/config.yaml`, ...dropIns.map((name) => `${directory}/config.yaml.d/${name}`)]
  const values = new Map<string, {readonly text: string; readonly at: string}>()
  for (const path of paths) {
    const text = files.text(path)
    if (text === undefined) continue
    const {documents, fault} = readYamlDocuments(text)
    const registriesPath = `${directory}/registries.yaml`
    if (fault !== undefined)
      return {registriesPath, message: `yaml: line ${fault.line}: ${fault.message} (${path})`}
    for (const key of ['disable-default-registry-endpoint', 'embedded-registry', 'private-registry']) {
      const node: YamlNode | undefined = valueAt(documents[0], key)
      const value = textOf(node)
      if (node !== undefined && value !== undefined)
        values.set(key, {text: value, at: `${path}:${node.line}`})
    }
  }
  const switchedOn = (key: string): string | undefined => {
    const value = values.get(key)
    return value !== undefined && /^(?:true|1|t|y|yes|on)$/i.test(value.text) ? value.at : undefined
  }
  const cutsDefault = switchedOn('disable-default-registry-endpoint')
  const embedded = switchedOn('embedded-registry')
  return {
    registriesPath: values.get('private-registry')?.text ?? `${directory}/registries.yaml`,
    cutsDefault,
    embedded,
  }
}
