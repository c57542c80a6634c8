//! Panics, as an outcome of one piece of work.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// A future's output, or `None` when it panicked. Unwind safety: what the futures of the functions share with others are
/// clients of services and caches, whose lock is poisoned at worst, and that is looked through.
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
