/** Shared inserts of batches made here and sent, superseded rows and what is left of them, on a server as in this process. */
import '../ingest/made.test.js';
import '../ingest/groups.test.js';
