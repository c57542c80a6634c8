//! What a sandbox of Lambda gives to a function: time, randomness and a place for metric lines; and where a panic ends.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::{SystemTime, UNIX_EPOCH};

/// The inputs that a sandbox gives. Tests give their own.
pub struct Host {
    /// Milliseconds since the epoch. Used for leases, deadlines and durations; never in the name of an effect.
    pub now_ms: Box<dyn Fn() -> u64 + Send + Sync>,
    /// 128 fresh random bits: nonces of claims, keys of hash sets, jitter.
    pub random: Box<dyn Fn() -> [u8; 16] + Send + Sync>,
    /// Takes a metric line.
    pub metric: Box<dyn Fn(&str) + Send + Sync>,
}

impl Host {
    /// Makes the clock and randomness of the operating system, and standard output.
    #[must_use]
    pub fn system() -> Self {
        Self {
            now_ms: Box::new(system_now_ms),
            random: Box::new(system_random),
            metric: Box::new(telemetry::write_line),
        }
    }

    /// Returns the time now, milliseconds since the epoch.
    #[must_use]
    pub fn now(&self) -> u64 {
        (self.now_ms)()
    }

    /// Returns a number from 0 to `most`, for jitter.
    #[must_use]
    pub fn jitter(&self, most: u32) -> u32 {
        let [first, second, third, fourth, ..] = (self.random)();
        let number = u64::from(u32::from_be_bytes([first, second, third, fourth]));
        u32::try_from((number * (u64::from(most) + 1)) >> 32).unwrap_or(most)
    }

    /// Returns the owner of a claim: 32 hexadecimal digits.
    #[must_use]
    pub fn nonce(&self) -> String {
        hex::encode((self.random)())
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the binary's clock")]
fn system_now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Returns 128 random bits. Without randomness of the system (Linux gives it always, `getrandom(2)`) the clock makes
/// claims differ.
fn system_random() -> [u8; 16] {
    let mut bytes = u128::from(system_now_ms()).to_be_bytes();
    if getrandom::fill(&mut bytes).is_err() {
        tracing::warn!("the system gave no random bits: the clock is used in their place");
    }
    bytes
}

/// Returns a future's output, or `None` when it panicked.
///
/// Unwind safety: the futures of the functions share only clients of services and caches. At worst a cache's lock is
/// poisoned, and poison is ignored there.
pub async fn caught<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(move |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(_) => Poll::Ready(None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

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
    }

    #[test]
    fn a_panic_is_nothing_and_an_output_is_itself() {
        let mut context = Context::from_waker(Waker::noop());
        let mut poll = |panics: bool| {
            let future = pin!(caught(async move { if panics { panic!("a defect") } else { 7 } }));
            future.poll(&mut context)
        };
        assert_eq!(poll(false), Poll::Ready(Some(7)));
        assert_eq!(poll(true), Poll::Ready(None));
    }
}
