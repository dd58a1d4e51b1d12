import type {Digest} from '@airgap-mirror/oci-client/model'
import {makeReport, type Report, type ReportImage, type RunFigures} from '#src/report/report.js'

export function digest(character: string): Digest {
  return `sha256:${character.repeat(64)}`
}

export function image(name: string, fields: Partial<ReportImage> = {}): ReportImage {
  return {
    source: `gcr.io/${name}`,
    target: `host:5000/ns/${name}`,
    status: 'pushed',
    digestChanged: false,
    bytesUploaded: 0,
    attempts: 1,
    ...fields,
  }
}

export function failed(name: string, hint?: string): ReportImage {
  return image(name, {
    status: 'failed',
    error: {
      code: 'MANIFEST_REJECTED',
      side: 'target',
      message: 'the manifest was refused: no space',
      hint,
    },
  })
}

export function reportOf(images: readonly ReportImage[], figures: Partial<RunFigures> = {}): Report {
  return makeReport(
    {
      command: 'push',
      source: 'bundle.tar.xz',
      target: 'host:5000/ns',
      startedAt: new Date('2026-01-02T03:04:05Z'),
      finishedAt: new Date('2026-01-02T03:04:39Z'),
      ...figures,
    },
    images,
  )
}
