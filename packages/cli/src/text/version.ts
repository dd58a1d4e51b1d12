/** The version of the program. A test holds it to the version of the packages. */
export const VERSION = '0.1.0'

/** The day of this version, for manual pages. */
export const RELEASED = '2026-11-29'
