/** The only list of datasets. */
import type { DatasetEntry } from '../dataset.js';
import { acquisitions } from './acquisitions.js';
import { adperformance } from './adperformance.js';
import { campaigns } from './campaigns.js';
import { failures } from './failures.js';
import { installs } from './installs.js';
import { pageviews } from './pageviews.js';
import { ratings } from './ratings.js';
import { reviews } from './reviews.js';
import { usage } from './usage.js';

/** All datasets by name, in the order of the reference page. */
export const datasets: Readonly<Record<string, DatasetEntry>> = {
  acquisitions,
  pageviews,
  installs,
  usage,
  failures,
  ratings,
  reviews,
  adperformance,
  campaigns,
};
