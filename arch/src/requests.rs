//! What one CPU may ask of another.
//!
//! A [`Mailbox`] per CPU holds the requests that are posted and not yet taken; the inter-processor
//! interrupt only says "look". Posting twice before the other looks is the same as posting once.

use core::sync::atomic::{AtomicU32, Ordering};

/// Something another CPU shall do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum Request {
    /// Choose again which thread to run ([`crate::handlers::Handlers::reschedule`]).
    Reschedule = 1 << 0,
    /// Stop for good.
    Halt = 1 << 1,
    /// Invalidate the translations that [`crate::smp`] has noted. Only where the hardware does not
    /// do it by itself.
    Flush = 1 << 2,
}

/// The requests posted to one CPU.
#[derive(Debug, Default)]
pub struct Mailbox {
    posted: AtomicU32,
}

/// Requests that were taken out of a [`Mailbox`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "requests that were taken must be served"]
pub struct Requests(u32);

impl Mailbox {
    /// An empty mailbox.
    pub const fn new() -> Self {
        Self {
            posted: AtomicU32::new(0),
        }
    }

    /// Adds `request`. What was written before is visible to whoever takes it.
    pub fn post(&self, request: Request) {
        self.posted.fetch_or(request as u32, Ordering::Release);
    }

    /// Takes everything that was posted.
    pub fn take(&self) -> Requests {
        Requests(self.posted.swap(0, Ordering::Acquire))
    }
}

impl Requests {
    /// Whether `request` is among them.
    pub const fn has(self, request: Request) -> bool {
        self.0 & request as u32 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_stay_until_taken_and_are_taken_once() {
        let mailbox = Mailbox::new();
        mailbox.post(Request::Reschedule);
        mailbox.post(Request::Reschedule);
        mailbox.post(Request::Halt);
        let requests = mailbox.take();
        assert!(requests.has(Request::Reschedule));
        assert!(requests.has(Request::Halt));
        assert!(!requests.has(Request::Flush));
        assert_eq!(mailbox.take(), Requests(0));
    }
}
