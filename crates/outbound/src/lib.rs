//! The only client for addresses that partners or operators choose: of webhooks, and of the keys of tokens.
//!
//! Such an address decides where a function of the account connects to. So it is checked:
//!
//! ```text
//! text ──Target::parse──▶ Target ──resolve──▶ addresses ──is_public, each──▶ connect ──TLS──▶ one exchange
//!        https, a public name,                one that is not public            to an address that was checked,
//!        port 443 or 8443, no user            rejects them all                  no redirect, no pool, 10 s in all
//! ```
//!
//! A name is resolved once and the connection goes to what was checked, so that a second answer of the name server
//! (rebinding) is never asked for. Nothing that this crate reports holds an address, a name or a body.
//!
//! ```
//! use outbound::{AddressPolicy, TargetError, Target};
//!
//! assert!(Target::parse("https://hooks.example.org/outcomes", AddressPolicy::Public).is_ok());
//! assert_eq!(Target::parse("http://hooks.example.org/", AddressPolicy::Public).err(), Some(TargetError::Scheme));
//! assert_eq!(Target::parse("https://169.254.169.254/", AddressPolicy::Public).err(), Some(TargetError::Address));
//! ```

mod address;
mod circuit_breakers;
mod client;
pub mod signature;
mod target;

pub use address::is_public;
pub use circuit_breakers::CircuitBreakers;
pub use client::{Client, Internet, Network, PostError, PostResponse};
pub use target::{AddressPolicy, Target, TargetError};
