/** Shared inserts, superseded rows and what is left of them, on a server as in this process. */
import '../ingest/made.test.js';
