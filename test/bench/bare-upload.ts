import {createReadStream} from 'node:fs'
import {readdir, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {Agent, request} from 'undici'

/** The script itself: `node bare-upload.js LAYOUT HOST` is the limit, a bare loop of POST and PUT over the same blobs. */
export const bareUpload = fileURLToPath(import.meta.url)

async function upload(layout: string, host: string): Promise<void> {
  const dispatcher = new Agent({connections: 8})
  const blobs = join(layout, 'blobs', 'sha256')
  const waiting = await readdir(blobs)
  const worker = async (): Promise<void> => {
    for (let hex = waiting.pop(); hex !== undefined; hex = waiting.pop()) {
      const path = join(blobs, hex)
      const {size} = await stat(path)
      const opened = await request(`http://${host}/v2/bare/blobs/uploads/`, {method: 'POST', dispatcher})
      await opened.body.dump()
      const put = await request(`${String(opened.headers['location'])}&digest=sha256:${hex}`, {
        method: 'PUT',
        body: createReadStream(path, {highWaterMark: 1 << 20}),
        headers: {'content-length': String(size), 'content-type': 'application/octet-stream'},
        dispatcher,
      })
      await put.body.dump()
      if (put.statusCode !== 201) throw new Error(`${hex}: ${put.statusCode}`)
    }
  }
  await Promise.all(Array.from({length: 8}, worker))
  await dispatcher.close()
}

if (process.argv[1] === bareUpload) await upload(process.argv[2] ?? '', process.argv[3] ?? '')
