import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foundFrames, longestFrameText } from './frames.js';
import type { StackFrame } from './stack/index.js';

test('frames leave without their modules, long names cut between characters', () => {
  const module = {} as NonNullable<StackFrame['module']>;
  const name = `${'f'.repeat(longestFrameText - 1)}\u{1f4a5}(int)`;
  const frame: StackFrame = {
    found: 'cfi',
    address: 0x401234n,
    module,
    image: 'game',
    offset: 0x1234n,
    function: name,
    functionOffset: 4n,
    file: undefined,
    line: undefined,
  };
  assert.deepEqual(foundFrames([frame]), [
    {
      image: 'game',
      function: 'f'.repeat(longestFrameText - 1),
      offset: 0x1234n,
      functionOffset: 4n,
      found: 'cfi',
      file: undefined,
      line: undefined,
    },
  ]);
});
