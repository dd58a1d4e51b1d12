import {startRegistry, type RegistryOptions, type TestRegistry} from '../registry/index.js'
import {rawClient, type RawClient} from './raw-client.js'

/** The body of a test with a strict registry, and a raw client for it, of its own. */
export function withRegistry(
  options: RegistryOptions & {readonly ca?: string},
  body: (registry: TestRegistry, client: RawClient) => Promise<void>,
) {
  return async (): Promise<void> => {
    const {ca, ...own} = options
    await using registry = await startRegistry({strict: true, ...own})
    await using client = rawClient(registry.url, ca === undefined ? {} : {ca})
    await body(registry, client)
  }
}
