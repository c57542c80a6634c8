//! The command line of an operator.
//!
//! Commands work on a table and on API Gateway through traits, with time and randomness as inputs, so that tests run
//! them in memory and interrupt them anywhere. An answer is text for a reader or one JSON document; the secret of a
//! credential is in it once and nowhere else.
#![recursion_limit = "256"]

pub mod access;
pub mod acknowledge;
pub mod api_gateway;
pub mod arguments;
pub mod audited;
pub mod backfill;
mod bucket_policy;
pub mod config;
pub mod contracts;
pub mod doctor;
pub mod error;
pub mod feeds;
pub mod gateway;
pub mod generate;
pub mod hold;
pub mod interrupt;
pub mod names;
pub mod partner;
pub mod preview;
pub mod reading;
pub mod redrive;
pub mod replay;
pub mod report;
pub mod retract;
pub mod secret;
mod size;
mod under_way;
mod uploads;

#[cfg(test)]
mod tests;
