//! How long this process may act, and the guard that keeps it from acting any longer.
//!
//! A process can stand still at any moment, for minutes, and go on as if nothing had happened. So it is not enough to
//! ask before a request begins: the guard asks the clock each time before the request gets a chance to send something.

use std::{
    future::{pending, poll_fn},
    task::Poll,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// How long this process may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Not at all: another one does.
    Never,
    /// Until then, unless it is extended.
    Until(Instant),
    /// For ever: it is the only one.
    Unlimited,
}

impl Term {
    fn is_over(self, now: Instant) -> bool {
        match self {
            Self::Never => true,
            Self::Until(end) => end <= now,
            Self::Unlimited => false,
        }
    }
}

/// What was to be done was not done, or not to its end, because this process may not act (any more).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this process does not hold the lease")]
pub struct Cut {
    /// Whether it had begun.
    pub begun: bool,
}

/// The right to act, as everybody sees it who has to ask; cheap to clone.
#[derive(Clone, Debug)]
pub struct Tenure(watch::Receiver<Term>);

impl Tenure {
    /// The right of a process that is the only one.
    #[must_use]
    pub fn unlimited() -> Self {
        Self(watch::Sender::new(Term::Unlimited).subscribe())
    }

    /// The right as the sender announces it.
    pub(super) fn of(term: &watch::Sender<Term>) -> Self {
        Self(term.subscribe())
    }

    /// Whether this process may act now.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        !self.0.borrow().is_over(Instant::now())
    }

    /// Does this as long as this process may act, extensions meanwhile included, and not a step further.
    pub fn guard<T>(&self, work: impl Future<Output = T>) -> impl Future<Output = Result<T, Cut>> {
        // Requests are large; on the heap this one is kept once.
        let mut work = Box::pin(work);
        async move {
            let mut begun = false;
            let guarded = poll_fn(|context| {
                // The clock is asked and not a timer: after a standstill of the process a timer fires some time later.
                if !self.is_valid() {
                    return Poll::Ready(None);
                }
                begun = true;
                work.as_mut().poll(context).map(Some)
            });
            let done = tokio::select! {
                biased;
                done = guarded => done,
                () = self.over() => None,
            };
            done.ok_or(Cut { begun })
        }
    }

    /// Waits until this process may not act any more.
    async fn over(&self) {
        let mut term = self.0.clone();
        loop {
            let current = *term.borrow_and_update();
            if current.is_over(Instant::now()) {
                return;
            }
            let end = async {
                match current {
                    Term::Until(end) => sleep_until(end).await,
                    Term::Never | Term::Unlimited => pending().await,
                }
            };
            let changed = async {
                // Whoever extended it is gone: it ends when it ends.
                if term.changed().await.is_err() {
                    pending::<()>().await;
                }
            };
            tokio::select! {
                () = end => {}
                () = changed => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, pin::pin, time::Duration};

    use tokio::{task::yield_now, time::sleep};

    use super::*;

    fn seconds(number: u64) -> Instant {
        Instant::now() + Duration::from_secs(number)
    }

    /// A request that takes this long, and counts how often it gets the chance to send something.
    async fn request(takes: u64, polls: &Cell<usize>) -> &'static str {
        let mut work = pin!(sleep(Duration::from_secs(takes)));
        poll_fn(|context| {
            polls.set(polls.get() + 1);
            work.as_mut().poll(context)
        })
        .await;
        "answer"
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_term_nothing_begins() {
        let polls = Cell::new(0);
        let term = watch::Sender::new(Term::Never);
        assert_eq!(
            Tenure::of(&term).guard(request(0, &polls)).await,
            Err(Cut { begun: false })
        );
        assert_eq!(polls.get(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_is_cut_when_the_term_is_over() {
        let polls = Cell::new(0);
        let (began, end) = (Instant::now(), seconds(15));
        let term = watch::Sender::new(Term::Until(end));
        assert_eq!(
            Tenure::of(&term).guard(request(30, &polls)).await,
            Err(Cut { begun: true })
        );
        assert_eq!(polls.get(), 1);
        assert!(began.elapsed() >= Duration::from_secs(15) && began.elapsed() < Duration::from_secs(16));
    }

    #[tokio::test(start_paused = true)]
    async fn an_extension_lets_it_go_on() {
        let polls = Cell::new(0);
        let term = watch::Sender::new(Term::Until(seconds(15)));
        let tenure = Tenure::of(&term);
        let extend = async {
            sleep(Duration::from_secs(10)).await;
            term.send_replace(Term::Until(seconds(15)));
            sleep(Duration::from_secs(10)).await;
            term.send_replace(Term::Until(seconds(15)));
        };
        let (result, ()) = tokio::join!(tenure.guard(request(30, &polls)), extend);
        assert_eq!(result, Ok("answer"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_term_that_is_given_up_cuts_at_once() {
        let polls = Cell::new(0);
        let began = Instant::now();
        let term = watch::Sender::new(Term::Until(seconds(15)));
        let tenure = Tenure::of(&term);
        let give_up = async {
            sleep(Duration::from_secs(3)).await;
            term.send_replace(Term::Never);
        };
        let (result, ()) = tokio::join!(tenure.guard(request(30, &polls)), give_up);
        assert_eq!(result, Err(Cut { begun: true }));
        assert!(began.elapsed() < Duration::from_secs(4));
    }

    /// As after a standstill of the whole process, when a socket wakes the request before any timer has fired.
    #[tokio::test(start_paused = true)]
    async fn what_is_woken_after_the_end_is_not_polled() {
        let polls = Cell::new(0);
        let term = watch::Sender::new(Term::Until(seconds(15)));
        let tenure = Tenure::of(&term);
        let mut guarded = pin!(tenure.guard(request(30, &polls)));
        assert!(futures::poll!(&mut guarded).is_pending());
        tokio::time::advance(Duration::from_secs(15)).await;
        assert_eq!(futures::poll!(&mut guarded), Poll::Ready(Err(Cut { begun: true })));
        assert_eq!(polls.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_term_ends_by_itself_when_nobody_extends_it_any_more() {
        let polls = Cell::new(0);
        let term = watch::Sender::new(Term::Until(seconds(15)));
        let tenure = Tenure::of(&term);
        drop(term);
        assert!(tenure.is_valid());
        assert_eq!(tenure.guard(request(30, &polls)).await, Err(Cut { begun: true }));
        assert!(!tenure.is_valid());
    }

    #[tokio::test(start_paused = true)]
    async fn the_only_process_is_never_cut() {
        let polls = Cell::new(0);
        let tenure = Tenure::unlimited();
        yield_now().await;
        assert_eq!(tenure.guard(request(86_400, &polls)).await, Ok("answer"));
        assert!(tenure.is_valid());
    }
}
