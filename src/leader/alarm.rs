//! The kernel's part in the end of a term.
//!
//! A request that was let go is written to its socket by another task, a moment later. A process that stood still in that
//! moment would send it when it goes on, long after its lease: no clock is asked there any more. So the kernel has a timer
//! too. A process that it finds standing still ends with the first thing that it does.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use nix::unistd::alarm;
use signal_hook::{consts::SIGALRM, flag::register_conditional_shutdown};

/// The exit code of a process that stood still until its lease was over. It has no time to say more.
const OVERSLEPT: i32 = 3;

/// Prepares the end. The signal has a handler, as one without is not sent to the first process of a container.
pub fn prepare() {
    let always = Arc::new(AtomicBool::new(true));
    register_conditional_shutdown(SIGALRM, OVERSLEPT, always).expect("the signal SIGALRM can have a handler");
}

/// Ends the process after this time, unless it is set again. Whole seconds: what is less goes to the next leader. Nobody
/// cancels it, as a process that does not renew its lease ends anyway.
pub fn set(left: Duration) {
    let seconds = left.as_secs().max(1);
    alarm::set(seconds.try_into().expect("a term has some seconds"));
}
