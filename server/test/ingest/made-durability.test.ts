/** A kill at every step of groups of batches, and one at random; `long/kills.test.ts` has many. */
import { killsOfGroups } from './made-kills.js';

killsOfGroups(Number(process.env.STORELENS_TEST_ROUNDS ?? 1));
