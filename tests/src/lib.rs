//! Tests of the whole: what no single crate can promise. One binary; this file is its table of contents.
//!
//! ```text
//! tidy            the rules of the house, read off the tree: no build of the functions needed, a second
//! template        what AWS would do and the emulator does not, read off the expanded template: two seconds
//! protocol_model  every interleaving of the protocol that two workers can have: a minute
//! end_to_end      the deployed template and the release binary on the emulator: minutes
//! ```
//!
//! `cargo test -p tests tidy` (or `template`, or `end_to_end`) runs one part. The last two need what `make test`
//! prepares: the Python tools in `.venv` and, for `end_to_end`, the binaries in `target/lambda`.

/// The tree under test: where it is and what is in it.
#[cfg(test)]
mod repository;

/// Architecture rules: pure crates, one place for the environment, licences, file lengths, names that must agree.
#[cfg(test)]
mod tidy;

/// Encryption, retention, policies and permissions, under every choice of parameters.
#[cfg(test)]
mod template;

/// The protocol as a small model, and its mutants.
#[cfg(test)]
mod protocol_model;

/// Files dropped into the inbox of a deployed stack, each in an account of its own.
#[cfg(test)]
mod end_to_end;
