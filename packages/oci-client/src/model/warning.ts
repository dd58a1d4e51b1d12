/** The subject of a warning that may come for many images, so that a reader can group them. */
export interface WarningAbout {
  /** The image, as the warning names it. */
  readonly name: string
  /** The warning without that name. */
  readonly text: string
}

/** Called with a warning in one line. */
export type OnWarning = (text: string, about?: WarningAbout) => void
