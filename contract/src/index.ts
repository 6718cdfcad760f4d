/** The contract as data: reports, datasets, errors and body shapes. Types and constants only. */
export * from './dataset.js';
export { datasets } from './datasets/index.js';
export * from './errors.js';
export * from './mirror.js';
export * from './report.js';
export { literalReports, reports } from './reports/index.js';
export * from './token-errors.js';
export * from './wire.js';
