import {expect, test} from 'vitest'
import {DirectoryStore} from '#src/write/directory-store.js'

test.skipIf(process.platform !== 'linux')(
  'a layout in a directory that cannot be made is an error, and not an endless loop',
  async () => {
    const store = new DirectoryStore('/proc/nope/deeper')
    await expect(store.finish(new Map([['oci-layout', Buffer.from('{}')]]))).rejects.toMatchObject({
      code: 'WRITE_FAILED',
    })
  },
)
