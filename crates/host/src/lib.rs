//! What the sandbox gives: time, randomness, a place for metric lines, the environment, the messages of a queue. Inputs,
//! so that tests decide them. And what it must not be left with: a panic.

mod batch;
mod caught;
mod environment;

pub use aws_lambda_events::sqs::SqsBatchResponse;
pub use batch::{Message, batch, deliver_again};
pub use caught::caught;
pub use environment::{Environment, Missing};

use std::time::{SystemTime, UNIX_EPOCH};

/// The sandbox.
pub struct Host {
    /// Milliseconds since the epoch. Used for leases, deadlines and durations; never in the name of an effect.
    pub now_ms: Box<dyn Fn() -> u64 + Send + Sync>,
    /// 128 fresh random bits: nonces of claims, keys of hash sets, jitter.
    pub random: Box<dyn Fn() -> [u8; 16] + Send + Sync>,
    /// Takes a metric line.
    pub metric: Box<dyn Fn(&str) + Send + Sync>,
}

impl Host {
    /// The clock and randomness of the operating system, and standard output.
    #[must_use]
    pub fn system() -> Self {
        Self {
            now_ms: Box::new(system_now_ms),
            random: Box::new(system_random),
            metric: Box::new(telemetry::write_line),
        }
    }

    /// Time now, milliseconds since the epoch.
    #[must_use]
    pub fn now(&self) -> u64 {
        (self.now_ms)()
    }

    /// A number from 0 to `most`, for jitter.
    #[must_use]
    pub fn jitter(&self, most: u32) -> u32 {
        let [first, second, third, fourth, ..] = (self.random)();
        let number = u64::from(u32::from_be_bytes([first, second, third, fourth]));
        u32::try_from((number * (u64::from(most) + 1)) >> 32).unwrap_or(most)
    }

    /// The owner of a claim: 32 hexadecimal digits.
    #[must_use]
    pub fn nonce(&self) -> String {
        hexadecimal(&(self.random)())
    }
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "this is the binary's clock")]
fn system_now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Without randomness of the system (Linux gives it always, `getrandom(2)`) the clock tells claims apart.
fn system_random() -> [u8; 16] {
    let mut bytes = u128::from(system_now_ms()).to_be_bytes();
    if getrandom::fill(&mut bytes).is_err() {
        tracing::warn!("the system gave no randomness");
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_reaches_both_ends_and_never_passes_them() {
        let with = |byte: u8| Host { random: Box::new(move || [byte; 16]), ..Host::system() };
        assert_eq!((with(0).jitter(7), with(255).jitter(7)), (0, 7));
        assert_eq!(with(255).jitter(u32::MAX), u32::MAX);
    }

    #[test]
    fn two_nonces_differ() {
        assert_ne!(Host::system().nonce(), Host::system().nonce());
        assert_eq!(hexadecimal(&[0, 0xab]), "00ab");
    }
}
