/** The only list of reports. */
import type { ReportEntry } from '../report.js';
import { adsperformance } from './adsperformance.js';
import { appacquisitions } from './appacquisitions.js';
import { appchannelconversions } from './appchannelconversions.js';
import { cabdownload } from './cabdownload.js';
import { desktopCabdownload } from './desktop/cabdownload.js';
import { desktopFailuredetails } from './desktop/failuredetails.js';
import { desktopFailurehits } from './desktop/failurehits.js';
import { desktopStacktrace } from './desktop/stacktrace.js';
import { driverCabdownload } from './driver/cabdownload.js';
import { driverFailuredetails } from './driver/failuredetails.js';
import { driverFailurehits } from './driver/failurehits.js';
import { failuredetails } from './failuredetails.js';
import { failurehits } from './failurehits.js';
import { funnel } from './funnel.js';
import { hardwareCabdownload } from './hardware/cabdownload.js';
import { hardwareFailuredetails } from './hardware/failuredetails.js';
import { hardwareFailurehits } from './hardware/failurehits.js';
import { ihvdriverCabdownload } from './ihvdriver/cabdownload.js';
import { ihvdriverFailuredetails } from './ihvdriver/failuredetails.js';
import { ihvdriverFailurehits } from './ihvdriver/failurehits.js';
import { inappacquisitions } from './inappacquisitions.js';
import { inappchannelconversions } from './inappchannelconversions.js';
import { installs } from './installs.js';
import { promotion } from './promotion.js';
import { ratings } from './ratings.js';
import { reviews } from './reviews.js';
import { stacktrace } from './stacktrace.js';

/** All reports by name, in the order of the reference pages, each with its literal type: clients derive theirs from it. */
export const literalReports = {
  appacquisitions,
  funnel,
  appchannelconversions,
  inappacquisitions,
  inappchannelconversions,
  installs,
  failurehits,
  failuredetails,
  stacktrace,
  cabdownload,
  ratings,
  reviews,
  adsperformance,
  promotion,
  'desktop/failurehits': desktopFailurehits,
  'desktop/failuredetails': desktopFailuredetails,
  'desktop/stacktrace': desktopStacktrace,
  'desktop/cabdownload': desktopCabdownload,
  'driver/failurehits': driverFailurehits,
  'driver/failuredetails': driverFailuredetails,
  'driver/cabdownload': driverCabdownload,
  'ihvdriver/failurehits': ihvdriverFailurehits,
  'ihvdriver/failuredetails': ihvdriverFailuredetails,
  'ihvdriver/cabdownload': ihvdriverCabdownload,
  'hardware/failurehits': hardwareFailurehits,
  'hardware/failuredetails': hardwareFailuredetails,
  'hardware/cabdownload': hardwareCabdownload,
} as const satisfies Readonly<Record<string, ReportEntry>>;

/** The same reports for code that is given a name. */
export const reports: Readonly<Record<string, ReportEntry>> = literalReports;
