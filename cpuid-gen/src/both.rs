//! Two computations at the same time.

use std::panic::resume_unwind;
use std::thread;

/// Runs the first in a thread of its own, and the second in this one. A panic of either is the caller's.
pub(crate) fn both<A: Send, B>(beside: impl FnOnce() -> A + Send, here: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let beside = scope.spawn(beside);
        let here = here();
        (beside.join().unwrap_or_else(|panicked| resume_unwind(panicked)), here)
    })
}
