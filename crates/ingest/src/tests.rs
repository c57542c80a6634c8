//! The whole API in memory; files are processed by the processor itself.
//!
//! * `harness`: the API on a store in memory, its callers, and a processor behind it
//! * `schema`: every answer is compared with the schema that the OpenAPI document promises
//! * `access`: authentication, scopes, methods, limits
//! * `sending`: small files: names, bytes, checksums, corrections
//! * `repeating`: idempotent requests, and a failure before and after every call
//! * `uploading`: signed uploads, whole and in parts
//! * `once`: a signed PUT lands once; bytes that are current are already there
//! * `answering`: states, lists, receipts, rejects, feeds, the dry run
//! * `history`: what happened to a file, and nothing of an operator
//! * `replaying`: a partner has a file processed again; a failure before and after every call
//! * `recording`: which version of a record is visible
//! * `tenants`: three partners, every route, nothing of another's
//! * `privacy`: no value and no cause in any problem, log or metric
//! * `document`: the OpenAPI document is that of the table

mod access;
mod answering;
mod document;
mod harness;
mod history;
mod once;
mod privacy;
mod recording;
mod repeating;
mod replaying;
mod schema;
mod sending;
mod tenants;
mod uploading;
