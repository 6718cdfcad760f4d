/** `@storelens/client`: reports of the Microsoft Store analytics API, typed, from Microsoft or any server that speaks it. */
export type { Lookup } from './addresses.js';
export {
  type CallOptions,
  type Client,
  type ConnectOptions,
  connect,
  type PageOptions,
  type RequestOptions,
  type WalkOptions,
} from './client.js';
export type { Clock } from './clock.js';
export type { Download } from './download.js';
export * from './errors.js';
export { type ComparableField, Filter, type FilterOperator, type FilterValue, field } from './filter.js';
export type { Moved, Page, Rows, WhenMoved } from './pages.js';
export {
  type FileParameters,
  type FileReportName,
  type GroupableName,
  type ReportName,
  type ReportParameters,
  type Row,
  type RowShape,
  type SortableName,
  type UnlistedReport,
  unlisted,
} from './reports.js';
export type { Retry, RetrySettings } from './retry.js';
export type { Token } from './token.js';
