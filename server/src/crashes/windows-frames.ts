/**
 * Reads STACK WIN records of symbol files: how frames of x86 Windows code are laid out, from a PDB. They came before
 * STACK CFI; what cannot be read is left out, as other records of the file may do.
 */

/** Layout of the frames of a piece of code; sizes in bytes. */
export interface WindowsFrame {
  /** From the start of the module. */
  readonly address: number;
  readonly size: number;
  /** `program`: a postfix program computes the caller (type 4). `fpo`: the sizes alone say it (type 0). */
  readonly kind: 'program' | 'fpo';
  readonly parameterSize: number;
  readonly savedRegisterSize: number;
  readonly localSize: number;
  /** Empty for `fpo`. */
  readonly program: string;
  /** Of `fpo`: the function uses ebp for something else and saved the caller's. */
  readonly usesFramePointer: boolean;
}

const record =
  /^([04]) ([0-9a-f]{1,8}) ([0-9a-f]{1,8}) [0-9a-f]{1,8} [0-9a-f]{1,8} ([0-9a-f]{1,8}) ([0-9a-f]{1,8}) ([0-9a-f]{1,8}) [0-9a-f]{1,8} ([01]) (.+)$/i;

/** A record from the text behind `STACK WIN `; undefined if it is of another type or cannot be read. */
export function readWindowsFrame(text: string): WindowsFrame | undefined {
  const [, type, address = '', size = '', parameters = '', saved = '', locals = '', programmed, last = ''] =
    record.exec(text) ?? [];
  if (type === undefined || (type === '4') !== (programmed === '1')) return undefined;
  const hex = (digits: string) => Number.parseInt(digits, 16);
  return {
    address: hex(address),
    size: hex(size),
    kind: type === '4' ? 'program' : 'fpo',
    parameterSize: hex(parameters),
    savedRegisterSize: hex(saved),
    localSize: hex(locals),
    program: type === '4' ? last : '',
    usesFramePointer: type === '0' && last !== '0',
  };
}
