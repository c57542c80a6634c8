//! Ctrl-C, as a value: a command that follows work ends at it with what was done so far, and can be run again.

use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::SIGINT;
use signal_hook::flag;

/// The exit code of a command that ended at Ctrl-C: 128 and the number of the signal, as shells have it.
pub const EXIT_CODE: u8 = 130;

/// How often a pressed Ctrl-C is looked for.
const LOOK: Duration = Duration::from_millis(100);

/// What ends a command early.
pub struct Interrupt<'i> {
    signal: Pin<Box<dyn Future<Output = ()> + 'i>>,
    happened: bool,
}

impl<'i> Interrupt<'i> {
    /// Makes one that happens when this future ends.
    pub fn new(signal: impl Future<Output = ()> + 'i) -> Self {
        Self { signal: Box::pin(signal), happened: false }
    }

    /// Makes one that never happens.
    #[must_use]
    pub fn never() -> Self {
        Self::new(pending())
    }

    /// Waits for some work, and gives it up at the interrupt. After the interrupt no work begins.
    pub async fn or(&mut self, work: impl Future<Output = ()>) {
        if self.happened {
            return;
        }
        tokio::select! {
            biased;
            () = &mut self.signal => self.happened = true,
            () = work => (),
        }
    }

    /// Returns whether it has happened.
    pub async fn has_happened(&mut self) -> bool {
        self.or(ready(())).await;
        self.happened
    }
}

/// Takes Ctrl-C from this call on: the first one no longer ends the process but the future that is returned, and the
/// second one ends the process at once. Where the system takes no handler, each ends the process.
pub fn ctrl_c() -> impl Future<Output = ()> {
    let pressed = Arc::new(AtomicBool::new(false));
    // In this order, so that the first one finds nothing pressed.
    let second = flag::register_conditional_shutdown(SIGINT, EXIT_CODE.into(), Arc::clone(&pressed));
    let first = second.and_then(|_| flag::register(SIGINT, Arc::clone(&pressed)));
    async move {
        if first.is_err() {
            return pending().await;
        }
        while !pressed.load(Ordering::SeqCst) {
            tokio::time::sleep(LOOK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn work_goes_on_until_the_interrupt_and_none_begins_after_it() {
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let mut interrupt = Interrupt::new(async {
            receiver.await.ok();
        });
        let done = Cell::new(0);
        let work = async || done.set(done.get() + 1);
        interrupt.or(work()).await;
        assert!(!interrupt.has_happened().await);
        sender.send(()).expect("heard");
        interrupt.or(work()).await;
        interrupt.or(pending()).await;
        assert!(interrupt.has_happened().await);
        assert_eq!(done.get(), 1);
    }

    #[tokio::test]
    async fn without_an_interrupt_all_work_is_done() {
        let mut interrupt = Interrupt::never();
        let done = Cell::new(0);
        for _ in 0..3 {
            interrupt.or(async { done.set(done.get() + 1) }).await;
        }
        assert!(!interrupt.has_happened().await);
        assert_eq!(done.get(), 3);
    }
}
