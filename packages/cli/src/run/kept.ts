import type {UnusedPart} from '../report/report.js'
import type {SideFigures} from './run.js'

/** The resources that a run has opened. All are disposed of in reverse order; the first error is thrown at the end. */
export class Kept implements AsyncDisposable {
  readonly #resources: {readonly resource: AsyncDisposable; readonly figures: () => SideFigures}[] = []

  add<Resource extends AsyncDisposable>(
    resource: Resource,
    figures: () => SideFigures = () => ({}),
  ): Resource {
    this.#resources.push({resource, figures})
    return resource
  }

  /** The sums over all that is open. */
  figures(): Required<SideFigures> {
    const sums = {requests: 0, retries: 0, bytes: {} as Record<string, number>, unused: [] as UnusedPart[]}
    for (const {figures} of this.#resources) {
      const {requests = 0, retries = 0, bytes = {}, unused = []} = figures()
      sums.unused.push(...unused)
      sums.requests += requests
      sums.retries += retries
      for (const [name, value] of Object.entries(bytes)) sums.bytes[name] = (sums.bytes[name] ?? 0) + value
    }
    return sums
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = []
    for (const {resource} of this.#resources.splice(0).toReversed()) {
      try {
        await resource[Symbol.asyncDispose]()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }
}
