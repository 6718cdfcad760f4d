-- A fixed-width key of a failure's device, 0 where the device is unknown: distinct counts read 16 bytes of equal width
-- instead of a text. The engine makes the key from deviceId; no batch gives it. Two of n devices have equal keys with a
-- chance below n^2 / 2^129 (ten billion devices: 1 in 6 * 10^18). Older parts get the column in the background; until
-- then the engine makes the keys while it reads, at the price of the text.
ALTER TABLE failures ADD COLUMN IF NOT EXISTS deviceKey UInt128
  MATERIALIZED if(deviceId = '', 0, reinterpretAsUInt128(sipHash128(deviceId))) AFTER deviceId;
ALTER TABLE failures MATERIALIZE COLUMN deviceKey;
