/** The only list of reports. */
import type { ReportEntry } from '../report.js';
import { adsperformance } from './adsperformance.js';
import { appacquisitions } from './appacquisitions.js';
import { appchannelconversions } from './appchannelconversions.js';
import { funnel } from './funnel.js';
import { inappacquisitions } from './inappacquisitions.js';
import { inappchannelconversions } from './inappchannelconversions.js';
import { installs } from './installs.js';
import { promotion } from './promotion.js';
import { ratings } from './ratings.js';
import { reviews } from './reviews.js';

/** All reports by name, in the order of the reference pages. */
export const reports: Readonly<Record<string, ReportEntry>> = {
  appacquisitions,
  funnel,
  appchannelconversions,
  inappacquisitions,
  inappchannelconversions,
  installs,
  ratings,
  reviews,
  adsperformance,
  promotion,
};
