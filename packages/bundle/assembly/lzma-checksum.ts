/** The CRC-64 of a block of xz, eight bytes at a time. */

/** Eight tables of 256 values, 64 bits each, for the checksum. */
const CRC_TABLES: u32 = 0x1_a000
/** CRC-64 of ECMA-182, bits reversed, as xz has it. */
const POLYNOMIAL: u64 = ((<u64>0xc96c_5795) << 32) | 0xd787_0f42
let crc: u64 = ~0
let hasTables: bool = false

export function checksumLow(): u32 {
  return u32(~crc)
}

export function checksumHigh(): u32 {
  return u32(~crc >>> 32)
}

function makeTables(): void {
  hasTables = true
  for (let byte: u32 = 0; byte < 256; byte++) {
    let value: u64 = byte
    for (let count = 0; count < 8; count++)
      value = (value & 1) != 0 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
    store<u64>(CRC_TABLES + (byte << 3), value)
  }
  for (let index: u32 = 256; index < 8 * 256; index++) {
    const before = load<u64>(CRC_TABLES + ((index - 256) << 3))
    store<u64>(CRC_TABLES + (index << 3), (before >>> 8) ^ crcTable(0, before))
  }
}

function crcTable(table: u32, value: u64): u64 {
  return load<u64>(CRC_TABLES + (table << 11) + ((u32(value) & 0xff) << 3))
}

/** Takes bytes of memory into the checksum. */
export function addRange(from: u32, bytes: u32): void {
  if (!hasTables) makeTables()
  let value = crc
  let place = from
  const stop = from + bytes
  for (; place + 8 <= stop; place += 8) {
    value ^= load<u64>(place)
    value =
      crcTable(7, value) ^
      crcTable(6, value >>> 8) ^
      crcTable(5, value >>> 16) ^
      crcTable(4, value >>> 24) ^
      crcTable(3, value >>> 32) ^
      crcTable(2, value >>> 40) ^
      crcTable(1, value >>> 48) ^
      crcTable(0, value >>> 56)
  }
  for (; place < stop; place++) value = (value >>> 8) ^ crcTable(0, value ^ load<u8>(place))
  crc = value
}
