import {Refusal, type Reply} from '@airgap-mirror/cli/server'

/** A refusal with a page in place of the envelope, as proxies send it. */
export class HtmlRefusal extends Refusal {
  readonly #page: string

  constructor(status: number, title: string) {
    super(status, 'SIZE_INVALID', title)
    this.#page = `<html><head><title>${title}</title></head><body><center><h1>${title}</h1></center><hr><center>nginx</center></body></html>`
  }

  override reply(): Reply {
    return {status: this.status, headers: {'content-type': 'text/html'}, body: Buffer.from(this.#page)}
  }
}
